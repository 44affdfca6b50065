#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "weir/base/options.h"
#include "weir/base/result.h"
#include "weir/config/options.h"

// Every option of every room as one list of the same shape.
namespace weir::config {

enum class Kind { yes_no, number, size, decimal, text, list, duration };

// One option, bound to its place in an Options object. Confined to that object's owner.
struct Option {
  std::string room;
  std::string name;
  Kind kind = Kind::text;
  std::string range;  // "1 MiB to 4 GiB", "one of `a`, `b`", or empty
  std::string description;
  bool secret = false;  // masked wherever people see it

  // Takes a value as the environment and flags write it. Errors: kBadInput, whose message says what was expected, but
  // names neither option nor place.
  std::function<Result<>(std::string_view text)> set;
  // For lists: the elements as they are.
  std::function<Result<>(const std::vector<std::string>& elements)> set_list;
  std::function<std::string()> text;                   // the value as set() takes it
  std::function<std::vector<std::string>()> elements;  // of a list

  std::string full_name() const { return room + "." + name; }
};

// All options of `options`, sorted by room and name. They point into it.
std::vector<Option> list_options(Options& options);

// What a kind is called in messages and in the documentation: "a size such as 64KiB".
std::string_view name_of(Kind kind);

// Whole numbers with a unit of 1024 or 1000: "64KiB", "2 MiB", "1GB", "512". Errors: kBadInput.
Result<uint64_t> parse_size(std::string_view text);
std::string format_size(uint64_t bytes);  // the largest unit without a rest: "64KiB"
// "250ms", "30s", "5m", "2h", "7d"; "0". Errors: kBadInput.
Result<std::chrono::milliseconds> parse_duration(std::string_view text);
std::string format_duration(std::chrono::milliseconds duration);

// The same in one or two words: "size".
std::string_view short_name_of(Kind kind);

// The candidate nearest to `word`, when it is near enough to be what was meant; else empty.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

// "unknown option `journal.segmnt_bytes`; did you mean `segment_bytes`?"
std::string unknown_option(std::string_view full_name, const std::vector<Option>& options);

}  // namespace weir::config
