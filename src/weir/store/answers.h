#pragma once

#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include "weir/store/store.h"

// How ClickHouse is asked and answers, for the sources of ClickHouse alone.
namespace weir::store {

// The form in which ClickHouse reads parameters and tab-separated lines.
inline std::string escape(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '\\')
      out += "\\\\";
    else if (c == '\t')
      out += "\\t";
    else if (c == '\n')
      out += "\\n";
    else if (c == '\r')
      out += "\\r";
    else if (c == '\0')
      out += "\\0";
    else
      out += c;
  }
  return out;
}

template <class T>
T number_in(std::string_view text) {
  T value{};
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

inline QueryOptions in_row_binary(Parameters parameters) {
  return {.format = "RowBinary", .parameters = std::move(parameters)};
}

// Statements that give way may take long.
inline constexpr std::chrono::minutes kBackgroundTime{5};

inline QueryOptions in_background(Parameters parameters) {
  QueryOptions options = in_row_binary(std::move(parameters));
  options.timeout = kBackgroundTime;
  options.urgency = Urgency::background;
  return options;
}

inline Error unreadable(std::string_view what) {
  return {ErrorCode::kUnavailable, fmt::format("store: {}: the server's answer cannot be read", what)};
}
}  // namespace weir::store
