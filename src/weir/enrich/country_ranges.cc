#include "weir/enrich/country_ranges.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <compare>
#include <cstring>
#include <optional>
#include <vector>

#include "weir/enrich/text_lines.h"

namespace weir::enrich {

namespace {
struct V6 {
  uint64_t high;
  uint64_t low;
  auto operator<=>(const V6&) const = default;
};

// Every pair of capital letters, so that an answer needs no owner.
constexpr auto kCountries = [] {
  std::array<char, 26 * 26 * 2> all{};
  for (size_t i = 0; i < 26 * 26; ++i) {
    all[2 * i] = static_cast<char>('A' + i / 26);
    all[2 * i + 1] = static_cast<char>('A' + i % 26);
  }
  return all;
}();
constexpr uint16_t kUnknown = 26 * 26;

std::optional<uint16_t> country_number(std::string_view text) {
  if (text == "??") return kUnknown;
  if (text.size() != 2 || text[0] < 'A' || text[0] > 'Z' || text[1] < 'A' || text[1] > 'Z') return std::nullopt;
  return static_cast<uint16_t>((text[0] - 'A') * 26 + (text[1] - 'A'));
}

uint64_t big_endian(const uint8_t* at) {
  uint64_t value = 0;
  for (int i = 0; i < 8; ++i) value = value << 8 | at[i];
  return value;
}

bool parse(std::string_view text, uint32_t& address) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), address);
  return error == std::errc{} && end == text.data() + text.size();
}

bool parse(std::string_view text, V6& address) {
  char terminated[INET6_ADDRSTRLEN];
  uint8_t bytes[16];
  if (text.size() >= sizeof terminated) return false;
  terminated[text.copy(terminated, sizeof terminated - 1)] = '\0';
  if (::inet_pton(AF_INET6, terminated, bytes) != 1) return false;
  address = {big_endian(bytes), big_endian(bytes + 8)};
  return true;
}

// "Thu, 25 Jun 2026 04:33:59 GMT"
UnixMillis parse_generated(std::string_view text) {
  constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  size_t comma = text.find(", ");
  if (comma == std::string_view::npos || text.size() < comma + 13) return 0;
  std::string_view date = text.substr(comma + 2);
  size_t month = kMonths.find(date.substr(3, 3));
  if (month == std::string_view::npos || month % 3 != 0) return 0;
  return parse_day(fmt::format("{}-{:02}-{}", date.substr(7, 4), month / 3 + 1, date.substr(0, 2)));
}

// Columns, because a search touches `first` alone.
template <class Value>
struct Ranges {
  std::vector<Value> first;
  std::vector<Value> last;
  std::vector<uint16_t> country;

  bool add(std::string_view from, std::string_view to, uint16_t of) {
    Value begin{};
    Value end{};
    if (!parse(from, begin) || !parse(to, end) || end < begin || (!last.empty() && begin <= last.back())) return false;
    if (of == kUnknown) return true;
    first.push_back(begin);
    last.push_back(end);
    country.push_back(of);
    return true;
  }

  uint16_t find(const Value& address) const {
    auto after = std::upper_bound(first.begin(), first.end(), address);
    if (after == first.begin()) return kUnknown;
    size_t at = static_cast<size_t>(after - first.begin()) - 1;
    return address <= last[at] ? country[at] : kUnknown;
  }
};
}  // namespace

struct CountryRanges::State {
  Ranges<uint32_t> v4;
  Ranges<V6> v6;
  UnixMillis generated = 0;
};

CountryRanges::CountryRanges(std::unique_ptr<State> state) : state_(std::move(state)) {}
CountryRanges::~CountryRanges() = default;

Result<std::shared_ptr<const CountryRanges>> CountryRanges::load(std::string_view text) {
  constexpr std::string_view kGenerated = "# Generated: ";
  auto state = std::make_unique<State>();
  std::optional<Error> error;
  for_each_line(text, [&](size_t number, std::string_view line) {
    if (line.starts_with(kGenerated)) state->generated = parse_generated(line.substr(kGenerated.size()));
    if (line.empty() || line.front() == '#') return true;
    size_t one = std::min(line.find(','), line.size());
    size_t two = std::min(line.find(',', one + 1), line.size());
    auto country = country_number(two < line.size() ? line.substr(two + 1) : std::string_view{});
    std::string_view from = line.substr(0, one);
    std::string_view to = one < two ? line.substr(one + 1, two - one - 1) : std::string_view{};
    bool v6 = line.substr(0, two).find(':') != std::string_view::npos;
    if (country && (v6 ? state->v6.add(from, to, *country) : state->v4.add(from, to, *country))) return true;
    error = Error{ErrorCode::kCorrupt, fmt::format("line {}: expected FIRST,LAST,COUNTRY behind the range before: {}",
                                                   number, line.substr(0, 100))};
    return false;
  });
  if (error) return *std::move(error);
  if (state->v4.first.empty() == state->v6.first.empty())
    return Error{ErrorCode::kCorrupt, "expected ranges of either IPv4 or IPv6"};
  return std::shared_ptr<const CountryRanges>(new CountryRanges(std::move(state)));
}

std::string_view CountryRanges::find(const Address& address) const {
  uint16_t found = kUnknown;
  if (address.v4)
    found = state_->v4.find(static_cast<uint32_t>(big_endian(address.bytes.data()) >> 32));
  else
    found = state_->v6.find({big_endian(address.bytes.data()), big_endian(address.bytes.data() + 8)});
  return found == kUnknown ? std::string_view{} : std::string_view(kCountries.data() + size_t{2} * found, 2);
}

bool CountryRanges::v4() const { return !state_->v4.first.empty(); }
size_t CountryRanges::size() const { return state_->v4.first.size() + state_->v6.first.size(); }
UnixMillis CountryRanges::generated() const { return state_->generated; }

}  // namespace weir::enrich
