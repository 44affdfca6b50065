#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

namespace weir {

// The diagnostic log, on stderr. Messages begin with the room's name: "journal: opened at 1812". Secrets, whole
// events and addresses of people are never logged. Thread-safe; never blocks for a reader of stderr that went away.
namespace log {

enum class Level { debug, info, warning, error, critical };
enum class Format { text, json };

// Until called: text, info and above.
void configure(Level least, Format format);
bool enabled(Level level);
void write(Level level, std::string_view message);
void flush();

template <class... Args>
void debug(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::debug)) write(Level::debug, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void info(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::info)) write(Level::info, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void warning(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::warning, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void error(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::error, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void critical(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::critical, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace log
}  // namespace weir
