#include "weir/app/cli_enrich.h"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "weir/app/explainer.h"
#include "weir/app/invocation.h"
#include "weir/base/bytes.h"
#include "weir/base/clock.h"
#include "weir/base/json_writer.h"
#include "weir/base/logging.h"
#include "weir/enrich/packs.h"
#include "weir/event/json.h"
#include "weir/settings/state.h"

namespace weir::app {

namespace {
constexpr size_t kPieceBytes = 1 * MiB;
// Of one line, and of an array or object on several lines.
constexpr size_t kDocumentBytesMax = 64 * MiB;

struct Arguments {
  std::string project;
  // One event by flags instead of many by standard input.
  std::string user_agent, ip, referrer, url, screen, hints;
  bool by_flags = false;
};

int fail(const std::string& message) {
  std::fprintf(stderr, "weir: %s\n", message.c_str());
  return 1;
}

// Prints what an explainer says: events to standard output, what is wrong to standard error.
class Printer {
 public:
  Explainer::Output output() {
    return {[this](std::string_view json) {
              out_ += json;
              out_.push_back('\n');
              if (out_.size() >= kPieceBytes) flush();
              return !output_failed_;
            },
            [this](std::string_view message) {
              all_understood_ = false;
              std::fprintf(stderr, "weir: %s%.*s\n", place_.c_str(), static_cast<int>(message.size()), message.data());
              return !output_failed_;
            }};
  }
  // Begins the messages of what comes: "line 7, ", or empty.
  void at(std::string place) { place_ = std::move(place); }
  void flush() {
    output_failed_ =
        output_failed_ || std::fwrite(out_.data(), 1, out_.size(), stdout) != out_.size() || std::fflush(stdout) != 0;
    out_.clear();
  }
  bool output_failed() const { return output_failed_; }
  bool all_understood() const { return all_understood_; }

 private:
  std::string out_;
  std::string place_;
  bool output_failed_ = false;
  bool all_understood_ = true;
};

// Standard input, as lines or as a whole.
class Input {
 public:
  // Before it waits for more, `idle` is called.
  explicit Input(std::function<void()> idle) : idle_(std::move(idle)) {}

  // The next line without its end; false: there is none. Valid until the next call.
  // Errors: kTooLarge, kUnavailable (reading failed).
  Result<bool> line(std::string_view& line) {
    size_t looked = at_;
    for (;;) {
      size_t end = buffer_.find('\n', looked);
      if (end == std::string::npos && !ended_) {
        looked = buffer_.size() - at_;
        if (auto read = more(); !read) return std::move(read).error();
        continue;  // more() moved the begin to 0
      }
      if (end == std::string::npos && at_ == buffer_.size()) return false;
      end = std::min(end, buffer_.size());
      line = std::string_view(buffer_).substr(at_, end - at_);
      line_at_ = at_;
      at_ = std::min(end + 1, buffer_.size());
      ++number_;
      return true;
    }
  }
  uint64_t number() const { return number_; }

  // From the begin of the line read last to the end; then that line comes again. Errors: as line().
  Result<std::string_view> whole() {
    at_ = line_at_;
    --number_;
    while (!ended_)
      if (auto read = more(); !read) return std::move(read).error();
    return std::string_view(buffer_).substr(at_);
  }

 private:
  Result<> more() {
    buffer_.erase(0, at_);
    at_ = line_at_ = 0;
    if (buffer_.size() > kDocumentBytesMax)
      return Error{ErrorCode::kTooLarge, fmt::format("enrich: line {}: more than {} MiB; send one event a line",
                                                     number_ + 1, kDocumentBytesMax / MiB)};
    idle_();
    const size_t size = buffer_.size();
    buffer_.resize(size + kPieceBytes);
    ssize_t got = 0;
    do {
      got = ::read(STDIN_FILENO, buffer_.data() + size, kPieceBytes);
    } while (got < 0 && errno == EINTR);
    const int error = errno;
    buffer_.resize(size + static_cast<size_t>(std::max<ssize_t>(got, 0)));
    if (got < 0)
      return Error{ErrorCode::kUnavailable, fmt::format("enrich: reading the input: {}", std::strerror(error))};
    ended_ = got == 0;
    return {};
  }

  std::function<void()> idle_;
  std::string buffer_;
  size_t at_ = 0;
  size_t line_at_ = 0;
  bool ended_ = false;
  uint64_t number_ = 0;
};

bool blank(std::string_view text) { return text.find_first_not_of(" \t\r") == std::string_view::npos; }

bool one_value(std::string_view text) {
  event::json::Reader reader;
  event::json::Value value;
  return reader.scan(text) == event::json::Reader::Scan::ok && reader.value(value) && !reader.more();
}

Result<> explain_input(Explainer& explainer, Printer& printer) {
  auto explain = [&](std::string_view document, std::string place) {
    printer.at(std::move(place));
    explainer.explain(document);
  };
  Input input([&] { printer.flush(); });
  std::string_view line;
  for (bool first = true;;) {
    auto read = input.line(line);
    if (!read) return std::move(read).error();
    if (!*read || printer.output_failed()) return {};
    if (blank(line)) continue;
    // An array or an object on several lines begins with a line that is no value by itself.
    if (first && !one_value(line)) {
      const bool array = line[line.find_first_not_of(" \t\r")] == '[';
      const uint64_t number = input.number();
      auto whole = input.whole();
      // Too much to be one object: lines, of which the first is bad.
      const bool lines = !whole && !array && whole.error().code == ErrorCode::kTooLarge;
      if (!whole && !lines) return std::move(whole).error();
      if (!lines && (array || one_value(*whole))) {
        explain(*whole, number == 1 ? "" : fmt::format("from line {} on, ", number));
        return {};
      }
      first = false;
      continue;
    }
    first = false;
    explain(line, fmt::format("line {}, ", input.number()));
  }
}

// The event that the flags tell, as JSON.
std::string event_of(const Arguments& a) {
  std::string event = "{";
  auto add = [&](std::string_view key, const std::string& value) {
    if (value.empty()) return;
    append_json_key(event, key);
    append_json_string(event, value);
  };
  add("type", "pageview");
  add("user_agent", a.user_agent);
  add("ip", a.ip);
  add("referrer", a.referrer);
  add("url", a.url);
  add("screen", a.screen);
  if (!a.hints.empty()) event += R"(,"hints":)" + a.hints;
  event.push_back('}');
  return event;
}

// What the server wrote last: a database that it has open is left alone.
Result<std::shared_ptr<const settings::Snapshot>> settings_of(const Invocation& invocation) {
  auto state = settings::read_snapshot_file(real_files(), invocation.data_directory() + "/settings.snapshot");
  if (state) return settings::snapshot_of(*state);
  if (state.error().code == ErrorCode::kNotFound) return settings::snapshot_of({});
  return std::move(state).error();
}

int run(const Invocation& invocation, const Arguments& arguments) {
  auto settings = settings_of(invocation);
  if (!settings) return fail(settings.error().message);
  log::configure(log::Level::critical, log::Format::text);  // what is wrong with packs is said here
  enrich::PackStore packs(
      {invocation.data_directory() + "/packs", enrich::find_shipped_packs(invocation.options().packs.directory), ""});
  packs.refresh(SystemClock().now());
  for (const enrich::PackReport& pack : packs.current()->reports)
    if (pack.state == enrich::PackState::damaged) fail("packs: " + pack.reason);

  Printer printer;
  Explainer explainer(packs.current(), *settings, printer.output());
  if (!arguments.project.empty())
    if (auto used = explainer.use_project(arguments.project); !used) return fail(used.error().message);
  Result<> read;
  if (arguments.by_flags) {
    printer.at("the event of the flags, ");
    explainer.explain(event_of(arguments));
  } else {
    read = explain_input(explainer, printer);
  }
  printer.flush();
  if (!read) return fail(read.error().message);
  if (printer.output_failed()) return fail("writing to the output failed");
  return printer.all_understood() ? 0 : 1;
}
}  // namespace

void add_enrich_command(CLI::App& cli, Invocation& invocation) {
  CLI::App* command = cli.add_subcommand("enrich", "What weir makes of events, and why; nothing is stored");
  command->footer(
      "Reads events from standard input: a JSON object a line, one object, or an array, with the fields of the capture "
      "API\n(docs/http-api.md) and `user_agent`, `ip` and `hints` of the visitor. Or takes one page view from the "
      "flags.\nWrites one JSON object a line, named as the columns of the view `events`, with `reasons` "
      "(docs/enrich.md).\nAn event that cannot be read is named on standard error; the others are answered, and the "
      "exit "
      "code is 1.\n\n  weir enrich < events.jsonl\n  weir enrich --user-agent \"$UA\" --ip 8.8.8.8 --referrer "
      "https://chatgpt.com/");
  auto a = std::make_shared<Arguments>();
  command->add_option("--project", a->project, "Whose rules count; else that of the event's field `app`");
  std::vector<CLI::Option*> flags = {
      command->add_option("--user-agent", a->user_agent, "The header User-Agent"),
      command->add_option("--ip", a->ip, "The visitor's address"),
      command->add_option("--referrer", a->referrer, "The page before"),
      command->add_option("--url", a->url, "The page's address"),
      command->add_option("--screen", a->screen, "The screen's size, as 390x844"),
      command->add_option("--hints", a->hints, R"(Client hints: {"sec-ch-ua-platform":"\"Windows\""})")};
  command->callback([&invocation, a, flags] {
    // Every command takes --url, so that it is read before commands see their flags; this one talks to no server.
    a->url = invocation.url;
    a->by_flags = !a->url.empty() ||
                  std::any_of(flags.begin(), flags.end(), [](const CLI::Option* flag) { return flag->count() > 0; });
    invocation.action = [&invocation, a] { return run(invocation, *a); };
  });
}

}  // namespace weir::app
