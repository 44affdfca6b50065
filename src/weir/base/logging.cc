#include "weir/base/logging.h"

#include <spdlog/async.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <memory>
#include <stdexcept>

#include "weir/base/json_writer.h"
#include "weir/base/thread.h"

namespace weir::log {

namespace {
std::atomic<Format> current_format{Format::text};
std::atomic<Level> least_level{Level::info};

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::debug:
      return spdlog::level::debug;
    case Level::info:
      return spdlog::level::info;
    case Level::warning:
      return spdlog::level::warn;
    case Level::error:
      return spdlog::level::err;
    case Level::critical:
      return spdlog::level::critical;
  }
  return spdlog::level::info;
}

void set_pattern(spdlog::logger& logger, Format format) {
  if (format == Format::json)
    logger.set_pattern(R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l","message":%v})", spdlog::pattern_time_type::utc);
  else
    logger.set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %-8l %v", spdlog::pattern_time_type::utc);
}

std::shared_ptr<spdlog::details::thread_pool> start_pool() {
  try {
    return std::make_shared<spdlog::details::thread_pool>(8192, 1);
  } catch (const std::system_error& e) {
    throw std::runtime_error(no_thread("of the log", e).message);
  }
}

// Asynchronous and dropping the oldest line when full: a blocked stderr must never stop an event.
spdlog::logger& logger() {
  static const std::shared_ptr<spdlog::logger> instance = [] {
    static auto pool = start_pool();
    auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    auto made =
        std::make_shared<spdlog::async_logger>("weir", sink, pool, spdlog::async_overflow_policy::overrun_oldest);
    made->set_level(spdlog::level::debug);
    made->flush_on(spdlog::level::info);
    set_pattern(*made, Format::text);
    return made;
  }();
  return *instance;
}
}  // namespace

void configure(Level least, Format format) {
  least_level = least;
  current_format = format;
  set_pattern(logger(), format);
}

bool enabled(Level level) { return level >= least_level.load(std::memory_order_relaxed); }

void write(Level level, std::string_view message) {
  if (!enabled(level)) return;
  if (current_format.load(std::memory_order_relaxed) == Format::json) {
    std::string quoted;
    append_json_string(quoted, message);
    logger().log(to_spdlog(level), "{}", quoted);
  } else {
    logger().log(to_spdlog(level), "{}", message);
  }
}

void flush() { logger().flush(); }

}  // namespace weir::log
