#include "weir/config/option.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

namespace weir::config {

namespace {
using std::chrono::milliseconds;
using std::chrono::seconds;

Error expected(std::string_view what) { return {ErrorCode::kBadInput, fmt::format("expected {}", what)}; }

std::string_view trimmed(std::string_view text) {
  size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> elements;
  while (!text.empty()) {
    size_t comma = text.find(',');
    std::string_view element = trimmed(text.substr(0, comma));
    if (!element.empty()) elements.emplace_back(element);
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
  }
  return elements;
}

template <class Number>
bool parse_whole(std::string_view text, Number& number) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size();
}

// "12 KiB" into 12 and "KiB".
bool split_unit(std::string_view text, uint64_t& number, std::string_view& unit) {
  text = trimmed(text);
  size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  unit = trimmed(text.substr(digits));
  return digits > 0 && parse_whole(text.substr(0, digits), number);
}

std::string format_decimal(double number) { return fmt::format("{}", number); }

bool is_secret_name(std::string_view name) {
  for (std::string_view word : {"password", "secret", "token", "credential"}) {
    if (name.find(word) != std::string_view::npos) return true;
  }
  return name == "key" || name.ends_with("_key");
}

// A value's kind, and the way from text and back.
std::string format(Kind kind, double number) {
  if (kind == Kind::size) return format_size(static_cast<uint64_t>(number));
  if (kind == Kind::duration) return format_duration(milliseconds(static_cast<int64_t>(number)));
  return fmt::format("{:.15g}", number);
}

// Visits one room's options and adds them to the list.
class Lister {
 public:
  Lister(std::vector<Option>& into, std::string_view room) : into_(into), room_(room) {}

  void operator()(std::string_view name, bool& value, NoLimit, std::string_view description) {
    Option& option = add(name, Kind::yes_no, description);
    option.set = [&value](std::string_view text) -> Result<> {
      text = trimmed(text);
      bool yes = text == "true" || text == "yes" || text == "on" || text == "1";
      bool no = text == "false" || text == "no" || text == "off" || text == "0";
      if (!yes && !no) return expected("true or false");
      value = yes;
      return {};
    };
    option.text = [&value] { return value ? "true" : "false"; };
  }

  template <class Bounds>
  void operator()(std::string_view name, uint64_t& value, Bounds bounds, std::string_view description) {
    bool size = name.ends_with("_bytes") || name.find("_bytes_") != std::string_view::npos;
    Option& option = add(name, size ? Kind::size : Kind::number, description);
    limit(option, bounds, 1);
    option.set = [&value, bounds, kind = option.kind](std::string_view text) -> Result<> {
      uint64_t number = 0;
      if (kind == Kind::size) {
        auto parsed = parse_size(text);
        if (!parsed) return std::move(parsed).error();
        number = *parsed;
      } else if (!parse_whole(trimmed(text), number)) {
        return expected(name_of(kind));
      }
      if (auto within = check(bounds, static_cast<double>(number), kind, 1); !within) return within;
      value = number;
      return {};
    };
    option.text = [&value, kind = option.kind] {
      return kind == Kind::size ? format_size(value) : std::to_string(value);
    };
  }

  template <class Bounds>
  void operator()(std::string_view name, double& value, Bounds bounds, std::string_view description) {
    Option& option = add(name, Kind::decimal, description);
    limit(option, bounds, 1);
    option.set = [&value, bounds](std::string_view text) -> Result<> {
      double number = 0;
      // from_chars takes "nan" and "inf", which are no values of an option.
      if (!parse_whole(trimmed(text), number) || !(std::abs(number) <= std::numeric_limits<double>::max())) {
        return expected(name_of(Kind::decimal));
      }
      if (auto within = check(bounds, number, Kind::decimal, 1); !within) return within;
      value = number;
      return {};
    };
    option.text = [&value] { return format_decimal(value); };
  }

  template <class Bounds>
  void operator()(std::string_view name, milliseconds& value, Bounds bounds, std::string_view description) {
    duration(name, value, bounds, description);
  }
  template <class Bounds>
  void operator()(std::string_view name, seconds& value, Bounds bounds, std::string_view description) {
    duration(name, value, bounds, description);
  }

  template <class Bounds>
  void operator()(std::string_view name, std::string& value, Bounds bounds, std::string_view description) {
    Option& option = add(name, Kind::text, description);
    limit(option, bounds, 1);
    option.set = [&value, bounds](std::string_view text) -> Result<> {
      if (auto known = check(bounds, text); !known) return known;
      value = text;
      return {};
    };
    option.text = [&value] { return value; };
  }

  template <class Bounds>
  void operator()(std::string_view name, std::vector<std::string>& value, Bounds bounds, std::string_view description) {
    Option& option = add(name, Kind::list, description);
    limit(option, bounds, 1);
    option.set_list = [&value, bounds](const std::vector<std::string>& elements) -> Result<> {
      for (const std::string& element : elements) {
        if (auto known = check(bounds, element); !known) return known;
      }
      value = elements;
      return {};
    };
    option.set = [set = option.set_list](std::string_view text) { return set(split_list(text)); };
    option.text = [&value] { return fmt::format("{}", fmt::join(value, ",")); };
    option.elements = [&value] { return value; };
  }

 private:
  Option& add(std::string_view name, Kind kind, std::string_view description) {
    Option option;
    option.room = room_;
    option.name = name;
    option.kind = kind;
    option.description = description;
    option.secret = is_secret_name(name);
    into_.push_back(std::move(option));
    return into_.back();
  }

  template <class Duration, class Bounds>
  void duration(std::string_view name, Duration& value, Bounds bounds, std::string_view description) {
    // Bounds are given in the option's own unit.
    constexpr double kUnitMs = static_cast<double>(milliseconds(Duration(1)).count());
    Option& option = add(name, Kind::duration, description);
    limit(option, bounds, kUnitMs);
    option.set = [&value, bounds](std::string_view text) -> Result<> {
      auto parsed = parse_duration(text);
      if (!parsed) return std::move(parsed).error();
      auto whole = std::chrono::duration_cast<Duration>(*parsed);
      if (milliseconds(whole) != *parsed) return expected("a duration of whole seconds");
      if (auto within = check(bounds, static_cast<double>(parsed->count()), Kind::duration, kUnitMs); !within) {
        return within;
      }
      value = whole;
      return {};
    };
    option.text = [&value] { return format_duration(value); };
  }

  static void limit(Option&, NoLimit, double) {}
  static void limit(Option& option, const Between& bounds, double unit) {
    option.range = format(option.kind, bounds.low * unit) + " to " + format(option.kind, bounds.high * unit);
  }
  static void limit(Option& option, const OneOf& bounds, double) {
    for (std::string_view value : bounds.values)
      option.range += fmt::format("{}`{}`", option.range.empty() ? "" : ", ", value);
  }

  static Result<> check(NoLimit, double, Kind, double) { return {}; }
  static Result<> check(const Between& bounds, double number, Kind kind, double unit) {
    if (number >= bounds.low * unit && number <= bounds.high * unit) return {};
    return expected(format(kind, bounds.low * unit) + " to " + format(kind, bounds.high * unit));
  }
  static Result<> check(NoLimit, std::string_view) { return {}; }
  static Result<> check(const OneOf& bounds, std::string_view text) {
    if (std::find(bounds.values.begin(), bounds.values.end(), text) != bounds.values.end()) return {};
    return expected(fmt::format("{}{}", bounds.values.size() > 1 ? "one of " : "", fmt::join(bounds.values, ", ")));
  }

  std::vector<Option>& into_;
  std::string room_;
};

struct Unit {
  std::string_view name;
  uint64_t factor;
};
constexpr std::array kSizes = {Unit{"TiB", 1ull << 40},
                               Unit{"GiB", 1ull << 30},
                               Unit{"MiB", 1ull << 20},
                               Unit{"KiB", 1ull << 10},
                               Unit{"TB", 1'000'000'000'000},
                               Unit{"GB", 1'000'000'000},
                               Unit{"MB", 1'000'000},
                               Unit{"kB", 1'000},
                               Unit{"B", 1}};
constexpr std::array kDurations = {Unit{"d", 86'400'000}, Unit{"h", 3'600'000}, Unit{"m", 60'000}, Unit{"s", 1'000},
                                   Unit{"ms", 1}};
constexpr uint64_t kDurationMsMax = 1'000ull * 366 * 86'400'000;  // a thousand years
}  // namespace

std::vector<Option> list_options(Options& options) {
  std::vector<Option> all;
  for_each_room(options, [&](std::string_view room, auto& of_room) {
    Lister lister(all, room);
    describe(lister, of_room);
  });
  std::sort(all.begin(), all.end(),
            [](const Option& a, const Option& b) { return std::tie(a.room, a.name) < std::tie(b.room, b.name); });
  return all;
}

std::string_view name_of(Kind kind) {
  switch (kind) {
    case Kind::yes_no:
      return "true or false";
    case Kind::number:
      return "a whole number";
    case Kind::size:
      return "a size such as 64KiB";
    case Kind::decimal:
      return "a number";
    case Kind::text:
      return "a text";
    case Kind::list:
      return "a list of texts";
    case Kind::duration:
      return "a duration such as 250ms, 30s, 5m, 2h or 7d";
  }
  return "";
}

std::string_view short_name_of(Kind kind) {
  static constexpr std::array<std::string_view, 7> kNames = {"true/false", "number", "size",    "decimal",
                                                             "text",       "list",   "duration"};
  return kNames[static_cast<size_t>(kind)];
}

Result<uint64_t> parse_size(std::string_view text) {
  uint64_t number = 0;
  std::string_view unit;
  if (!split_unit(text, number, unit)) return expected(name_of(Kind::size));
  if (unit.empty()) return number;
  for (const Unit& known : kSizes) {
    if (known.name != unit) continue;
    if (number > std::numeric_limits<uint64_t>::max() / known.factor) return expected("a size below 16 EiB");
    return number * known.factor;
  }
  return expected(name_of(Kind::size));
}

std::string format_size(uint64_t bytes) {
  for (const Unit& unit : kSizes) {
    if (unit.name.size() == 3 && bytes >= unit.factor && bytes % unit.factor == 0) {
      return fmt::format("{}{}", bytes / unit.factor, unit.name);
    }
  }
  return std::to_string(bytes);
}

Result<std::chrono::milliseconds> parse_duration(std::string_view text) {
  uint64_t number = 0;
  std::string_view unit;
  if (!split_unit(text, number, unit)) return expected(name_of(Kind::duration));
  if (unit.empty() && number == 0) return milliseconds(0);
  for (const Unit& known : kDurations) {
    if (known.name != unit) continue;
    if (number > kDurationMsMax / known.factor) return expected("a duration below a thousand years");
    return milliseconds(static_cast<int64_t>(number * known.factor));
  }
  return expected(name_of(Kind::duration));
}

std::string format_duration(std::chrono::milliseconds duration) {
  auto count = static_cast<uint64_t>(duration.count());
  if (count == 0) return "0";
  for (const Unit& unit : kDurations) {
    if (count % unit.factor == 0) return fmt::format("{}{}", count / unit.factor, unit.name);
  }
  return fmt::format("{}ms", count);
}

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  if (word.size() > 100) return {};
  size_t best = word.size() / 3 + 1;  // beyond this many edits it is another word
  std::string found;
  for (const std::string& candidate : candidates) {
    // Damerau's distance with adjacent swaps, three rows at a time.
    std::vector<size_t> two_above;
    std::vector<size_t> above(candidate.size() + 1);
    for (size_t j = 0; j < above.size(); ++j) above[j] = j;
    for (size_t i = 1; i <= word.size(); ++i) {
      std::vector<size_t> row(candidate.size() + 1, i);
      for (size_t j = 1; j <= candidate.size(); ++j) {
        row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (word[i - 1] == candidate[j - 1] ? 0 : 1)});
        bool swapped = i > 1 && j > 1 && word[i - 1] == candidate[j - 2] && word[i - 2] == candidate[j - 1];
        if (swapped) row[j] = std::min(row[j], two_above[j - 2] + 1);
      }
      two_above = std::move(above);
      above = std::move(row);
    }
    if (above.back() < best || (above.back() == best && found.empty())) {
      best = above.back();
      found = candidate;
    }
  }
  return found;
}

std::string unknown_option(std::string_view full_name, const std::vector<Option>& options) {
  std::string message = fmt::format("unknown option `{}`", full_name);
  size_t dot = full_name.find('.');
  std::string_view room = full_name.substr(0, dot);
  std::string_view name = dot == std::string_view::npos ? std::string_view() : full_name.substr(dot + 1);
  std::vector<std::string> names;
  std::vector<std::string> full_names;
  for (const Option& option : options) {
    if (option.room == room) names.push_back(option.name);
    full_names.push_back(option.full_name());
  }
  std::string near = nearest(name, names);
  if (near.empty()) {
    // The right name in the wrong room, or a slip in the room's name.
    for (const Option& option : options) {
      if (option.name == name) near = option.full_name();
    }
  }
  if (near.empty()) near = nearest(full_name, full_names);
  if (!near.empty()) message += fmt::format("; did you mean `{}`?", near);
  return message;
}

}  // namespace weir::config
