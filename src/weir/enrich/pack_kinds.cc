#include "weir/enrich/pack_kinds.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "weir/base/bytes.h"
#include "weir/base/files.h"
#include "weir/enrich/source.h"
#include "weir/enrich/text_lines.h"
#include "weir/enrich/user_agent_rules.h"

namespace weir::enrich {

namespace {
constexpr uint64_t kTextBytesMax = 64 * MiB;

Error corrupt(std::string message) { return {ErrorCode::kCorrupt, std::move(message)}; }

// Where an MMDB file's metadata begins.
constexpr std::string_view kMmdbMarker = "\xab\xcd\xefMaxMind.com";

bool holds_mmdb(std::string_view end_of_file) { return end_of_file.rfind(kMmdbMarker) != std::string_view::npos; }
bool holds_user_agent_rules(std::string_view text) {
  return text.find("user_agent_parsers:") != std::string_view::npos &&
         text.find("os_parsers:") != std::string_view::npos && text.find("device_parsers:") != std::string_view::npos;
}
bool holds_public_suffixes(std::string_view text) {
  return text.find("===BEGIN ICANN DOMAINS===") != std::string_view::npos &&
         text.find("===END ICANN DOMAINS===") != std::string_view::npos;
}
bool is_host(std::string_view line) {
  return line.size() <= 253 && line.find('.') != std::string_view::npos && line.front() != '.' &&
         std::all_of(line.begin(), line.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
                  c == '_' || (c & 0x80) != 0;
         });
}
// Every line that is neither empty nor a comment is a host.
size_t count_hosts(std::string_view text, size_t& bad_line) {
  size_t hosts = 0;
  bad_line = 0;
  for_each_line(text, [&](size_t number, std::string_view line) {
    if (line.empty() || line.front() == '#') return true;
    if (!is_host(line)) bad_line = number;
    ++hosts;
    return bad_line == 0;
  });
  return hosts;
}

// A list of rules in a text file, which has `load` and a member in PackParts.
template <class List, auto Member, class Describe>
Result<PackFacts> load_list(const PackFile& file, PackParts& parts, Describe describe) {
  auto text = read_file(real_files(), file.path, kTextBytesMax);
  if (!text) return std::move(text).error();
  auto list = List::load(*text);
  if (!list) return std::move(list).error();
  parts.*Member = *list;
  return describe(**list);
}

Result<PackFacts> load_agents(const PackFile& file, PackParts& parts) {
  return load_list<AgentTable, &PackParts::agents>(file, parts, [](const AgentTable& list) {
    return PackFacts{0, fmt::format("{} names", list.size())};
  });
}
Result<PackFacts> load_isbot(const PackFile& file, PackParts& parts) {
  return load_list<IsbotRules, &PackParts::isbot>(file, parts, [](const IsbotRules& list) {
    return PackFacts{0,
                     fmt::format("{} rules, {} of them with look-around", list.rules(), list.rules_with_look_around())};
  });
}
Result<PackFacts> load_crawlers(const PackFile& file, PackParts& parts) {
  return load_list<CrawlerList, &PackParts::crawlers>(file, parts, [](const CrawlerList& list) {
    return PackFacts{list.newest(), fmt::format("{} crawlers", list.size())};
  });
}

enum class Family { v4, v6, any };
enum class Detail { city, country };

template <auto Member, Family family, Detail detail>
Result<PackFacts> load_places(const PackFile& file, PackParts& parts) {
  auto opened = PlaceFile::open(file.path, file.copies_in, file.check);
  if (!opened) return std::move(opened).error();
  const PlaceFile& places = **opened;
  if (family != Family::v6 && !places.knows_v4()) return corrupt("it knows no IPv4 addresses");
  if (family == Family::v6 && !places.knows_v6()) return corrupt("it knows no IPv6 addresses");
  if (detail == Detail::city && !places.knows_cities()) return corrupt("it knows no cities");
  parts.places.*Member = *opened;
  return PackFacts{places.built(), places.type()};
}

template <auto Member, Family family>
Result<PackFacts> load_ranges(const PackFile& file, PackParts& parts) {
  auto text = read_file(real_files(), file.path, kTextBytesMax);
  if (!text) return std::move(text).error();
  auto ranges = CountryRanges::load(*text);
  if (!ranges) return std::move(ranges).error();
  if ((*ranges)->v4() != (family == Family::v4)) return corrupt("it is of the other kind of addresses");
  parts.places.*Member = *ranges;
  return PackFacts{(*ranges)->generated(), fmt::format("{} ranges", (*ranges)->size())};
}

// `own`: the overlay, which may lack the package's lists.
template <auto Member, bool own>
Result<PackFacts> load_user_agent_rules(const PackFile& file, PackParts& parts) {
  auto text = read_file(real_files(), file.path, kTextBytesMax);
  if (!text) return std::move(text).error();
  if (!own && !holds_user_agent_rules(*text))
    return corrupt("it lacks user_agent_parsers, os_parsers or device_parsers");
  auto rules = own ? UserAgentRules::load("", *text) : UserAgentRules::load(*text, "");
  if (!rules) return corrupt(rules.error().message);
  std::string left_out;
  if (size_t warnings = (*rules)->warnings().size(); warnings > 0)
    left_out = fmt::format("{} rules left out, the first: {}", warnings, (*rules)->warnings().front());
  parts.*Member = std::make_shared<const std::string>(*std::move(text));
  return PackFacts{0, std::move(left_out)};
}

// "// VERSION: 2026-08-21_08-19-46_UTC"; older lists do not say.
UnixMillis version_date(std::string_view text) {
  constexpr std::string_view kVersion = "// VERSION: ";
  size_t at = text.find(kVersion);
  return at == std::string_view::npos ? 0 : parse_day(text.substr(at + kVersion.size(), 10));
}

Result<PackFacts> load_public_suffixes(const PackFile& file, PackParts& parts) {
  auto text = read_file(real_files(), file.path, kTextBytesMax);
  if (!text) return std::move(text).error();
  if (!holds_public_suffixes(*text)) return corrupt("the marks around its ICANN part are missing");
  if (auto list = PublicSuffixes::load(*text); !list) return corrupt(list.error().message);
  PackFacts facts{version_date(*text), ""};
  parts.public_suffixes = std::make_shared<const std::string>(*std::move(text));
  return facts;
}

Result<PackFacts> load_sources(const PackFile& file, PackParts& parts) {
  auto text = read_file(real_files(), file.path, kTextBytesMax);
  if (!text) return std::move(text).error();
  auto sources = Sources::load({*text, {}, {}}, PublicSuffixes());
  if (!sources) return corrupt(sources.error().message);
  PackFacts facts{0, fmt::format("{} sources", sources->sites())};
  parts.sources = std::make_shared<const std::string>(*std::move(text));
  return facts;
}

Result<PackFacts> load_spam_hosts(const PackFile& file, PackParts& parts) {
  auto text = read_file(real_files(), file.path, kTextBytesMax);
  if (!text) return std::move(text).error();
  size_t bad_line = 0;
  size_t hosts = count_hosts(*text, bad_line);
  if (bad_line != 0) return corrupt(fmt::format("line {}: expected a host", bad_line));
  if (hosts == 0) return corrupt("no line has a host");
  parts.spam_hosts = std::make_shared<const std::string>(*std::move(text));
  return PackFacts{0, fmt::format("{} hosts", hosts)};
}

template <auto Member>
void drop(PackParts& parts) {
  (parts.*Member).reset();
}
template <auto Member>
void drop_places(PackParts& parts) {
  (parts.places.*Member).reset();
}

using F = Places::Files;
constexpr std::array kKinds = {
    PackKind{"regexes.yaml", "browser, system and device by user agent", true,
             load_user_agent_rules<&PackParts::user_agent_rules, false>, drop<&PackParts::user_agent_rules>},
    PackKind{"overlay.yaml", "what regexes.yaml does not know", true,
             load_user_agent_rules<&PackParts::user_agent_overlay, true>, drop<&PackParts::user_agent_overlay>},
    PackKind{"isbot.txt", "is it a bot", true, load_isbot, drop<&PackParts::isbot>},
    PackKind{"crawlers.json", "which bot, and what for", true, load_crawlers, drop<&PackParts::crawlers>},
    PackKind{"agents.txt", "AI agents, SDKs and HTTP clients", true, load_agents, drop<&PackParts::agents>},
    PackKind{"city.mmdb", "city by any address, instead of the next two", false,
             load_places<&F::city, Family::any, Detail::city>, drop_places<&F::city>},
    PackKind{"city-ipv4.mmdb", "city by IPv4 address", true, load_places<&F::city_ipv4, Family::v4, Detail::city>,
             drop_places<&F::city_ipv4>},
    PackKind{"city-ipv6.mmdb", "city by IPv6 address", true, load_places<&F::city_ipv6, Family::v6, Detail::city>,
             drop_places<&F::city_ipv6>},
    PackKind{"country.mmdb", "country by any address, before the next two", false,
             load_places<&F::country, Family::any, Detail::country>, drop_places<&F::country>},
    PackKind{"country-ipv4.txt", "country by IPv4 address", true, load_ranges<&F::ranges_ipv4, Family::v4>,
             drop_places<&F::ranges_ipv4>},
    PackKind{"country-ipv6.txt", "country by IPv6 address", true, load_ranges<&F::ranges_ipv6, Family::v6>,
             drop_places<&F::ranges_ipv6>},
    PackKind{"public_suffix_list.dat", "which part of a host name is the site", true, load_public_suffixes,
             drop<&PackParts::public_suffixes>},
    PackKind{"sources.txt", "sources of visits, before weir's own table", false, load_sources,
             drop<&PackParts::sources>},
    PackKind{"spam.txt", "hosts whose referrals are spam", false, load_spam_hosts, drop<&PackParts::spam_hosts>},
};

Result<const PackKind*> recognise_mmdb(const std::string& path) {
  auto opened = PlaceFile::open(path, "", PlaceFile::Check::sample);
  if (!opened) return Error{ErrorCode::kBadInput, opened.error().message};
  const PlaceFile& places = **opened;
  if (!places.knows_cities()) return pack_kind("country.mmdb");
  if (!places.knows_v4()) return pack_kind("city-ipv6.mmdb");
  return pack_kind(places.knows_v6() ? "city.mmdb" : "city-ipv4.mmdb");
}
}  // namespace

std::span<const PackKind> pack_kinds() { return kKinds; }

const PackKind* pack_kind(std::string_view name) {
  const auto* found =
      std::find_if(kKinds.begin(), kKinds.end(), [name](const PackKind& kind) { return kind.name == name; });
  return found == kKinds.end() ? nullptr : found;
}

Result<const PackKind*> recognise_pack(const std::string& path) {
  constexpr uint64_t kMetadataBytesMax = 128 * KiB;  // by the format's definition
  auto file = real_files().open(path, FileSystem::Mode::read);
  if (!file) return std::move(file).error();
  auto size = (*file)->size();
  if (!size) return std::move(size).error();
  std::string end(std::min(*size, kMetadataBytesMax), '\0');
  auto got = (*file)->read_at(*size - end.size(), end.data(), end.size());
  if (!got) return std::move(got).error();
  if (holds_mmdb(end)) return recognise_mmdb(path);

  auto read = read_file(real_files(), path, kTextBytesMax);
  if (!read) return std::move(read).error();
  const std::string& text = *read;
  if (text.find("device_type_parsers:") != std::string::npos) return pack_kind("overlay.yaml");
  if (holds_user_agent_rules(text)) return pack_kind("regexes.yaml");
  if (holds_public_suffixes(text)) return pack_kind("public_suffix_list.dat");
  if (auto ranges = CountryRanges::load(text))
    return pack_kind((*ranges)->v4() ? "country-ipv4.txt" : "country-ipv6.txt");
  if (AgentTable::load(text)) return pack_kind("agents.txt");
  if (CrawlerList::load(text)) return pack_kind("crawlers.json");
  if (auto sources = Sources::load({text, {}, {}}, PublicSuffixes()); sources && sources->sites() > 0)
    return pack_kind("sources.txt");
  size_t bad_line = 0;
  if (count_hosts(text, bad_line) > 0 && bad_line == 0) return pack_kind("spam.txt");
  // Any text is a list of regular expressions of some kind; this one has the rule that no list of bots goes without.
  if (text.find("bot") != std::string::npos && text.find("crawl") != std::string::npos && IsbotRules::load(text))
    return pack_kind("isbot.txt");
  return Error{ErrorCode::kBadInput,
               "none of the kinds of file that weir packs list names; if it is one, it is damaged"};
}

}  // namespace weir::enrich
