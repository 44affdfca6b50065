#include "weir/app/cli_enrich.h"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "weir/app/explained_event.h"
#include "weir/app/invocation.h"
#include "weir/base/bytes.h"
#include "weir/base/clock.h"
#include "weir/base/json_writer.h"
#include "weir/base/logging.h"
#include "weir/collect/intake.h"
#include "weir/collect/native.h"
#include "weir/enrich/enricher.h"
#include "weir/enrich/packs.h"
#include "weir/event/json.h"
#include "weir/event/record.h"
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

// Keeps in clear what a server would seal: nothing here is stored.
class InClear final : public settings::Secrets {
 public:
  Result<std::string> seal(ProjectId, UnixMillis, const settings::Personal& personal) override {
    personal_.emplace();
    personal_->ip = personal.ip;
    personal_->user_agent = personal.user_agent;
    personal_->hints = personal.hints;
    return std::string("{}");
  }
  Result<Opened> open(ProjectId, std::string_view) override { return *personal_; }
  Result<uint64_t> visitor(ProjectId, UnixMillis, UnixMillis, std::string_view, std::string_view) override { return 1; }
  Result<> expire(UnixMillis) override { return {}; }

  void forget() { personal_.reset(); }
  Opened* personal() { return personal_ ? &*personal_ : nullptr; }

 private:
  std::optional<Opened> personal_;
};

// Turns the events of a decoder into lines of the output, on the way that they take through a server: decoded, taken
// in, written as a record, read again, enriched.
class Explainer final : public collect::EventSink {
 public:
  Explainer(std::shared_ptr<const enrich::Packs> packs, std::shared_ptr<const settings::Snapshot> settings)
      : settings_(std::move(settings)) {
    enricher_.use(packs, settings_);
  }

  // Of all events, whatever they say themselves. Errors: kNotFound.
  Result<> use_project(const std::string& name) {
    project_ = find_project(name);
    if (project_ == nullptr) return Error{ErrorCode::kNotFound, "enrich: --project: no such project: " + name};
    return {};
  }

  // `place` begins the error messages: "line 7, ", or empty.
  void explain(std::string_view document, std::string place) {
    place_ = std::move(place);
    collect::NativeRules rules;
    rules.events_max = UINT64_MAX;
    rules.app_in_event = project_ == nullptr;
    rules.may_name_visitor = true;
    if (auto decoded = decoder_.decode(document, rules, *this); !decoded) complain(decoded.error().message);
  }

  bool take(const collect::SentEvent& sent) override {
    auto explained = add(sent);
    if (!explained) complain(collect::place_of(sent) + explained.error().message);
    return !output_failed_;
  }
  bool reject(size_t, Error error) override {
    complain(error.message);
    return !output_failed_;
  }

  void flush() {
    output_failed_ =
        output_failed_ || std::fwrite(out_.data(), 1, out_.size(), stdout) != out_.size() || std::fflush(stdout) != 0;
    out_.clear();
  }
  bool output_failed() const { return output_failed_; }
  bool all_understood() const { return all_understood_; }

 private:
  const settings::Project* find_project(std::string_view name) const {
    const settings::Project* project = settings_->project(name);
    return project != nullptr ? project : settings_->project_of_outside_name(name);
  }

  // Where the project is not known there are still the rules of all projects.
  Result<settings::Project> project_of(const collect::SentEvent& sent) const {
    settings::Project project;
    const settings::Project* found = project_ != nullptr || sent.app.empty() ? project_ : find_project(sent.app);
    if (found != nullptr) project = *found;
    if (found == nullptr && !sent.app.empty()) {
      if (!settings_->projects().empty())
        return Error{ErrorCode::kNotFound, "`app`: no such project: " + collect::echoed(sent.app)};
      project.name = sent.app;
    }
    project.retention_days = 0;  // what a server drops is explained all the same
    return project;
  }

  Result<> add(const collect::SentEvent& sent) {
    auto project = project_of(sent);
    if (!project) return std::move(project).error();
    auto hints = hints_of(sent.event.extra);
    if (!hints) return std::move(hints).error();

    const settings::Personal sender;
    collect::Intake intake(secrets_, sender, SystemClock().now(), "native");
    secrets_.forget();
    journal::Records records;
    const auto verdict = intake.add(*project, sent, records);
    if (verdict == collect::Intake::Verdict::rejected) return Error{ErrorCode::kBadInput, std::string(intake.why())};
    if (verdict != collect::Intake::Verdict::accepted) return intake.error();
    auto event = parser_.parse(std::string_view(records.bytes()).substr(sizeof(uint32_t)));
    if (!event) return std::move(event).error();

    settings::Secrets::Opened only_hints;
    settings::Secrets::Opened* personal = secrets_.personal();
    if (!hints->empty()) {
      if (personal == nullptr) personal = &only_hints;
      personal->hints = *std::move(hints);
    }
    const enrich::Findings* why = nullptr;
    event::Row row = enricher_.explain(*event, personal, why);
    if (personal != nullptr) row.ip = enrich::apply_ip_policy(project->ip_policy, personal->ip, ip_);
    append_explained_event(project->name, row, *why, out_);
    out_.push_back('\n');
    if (out_.size() >= kPieceBytes) flush();
    return {};
  }

  // The field `hints`, which a server takes from the request's headers instead: among those it does not know.
  // Client hints by their headers' names in lower case.
  static Result<std::string> hints_of(std::string_view extra) {
    std::string hints;
    if (extra.find("\"hints\"") == std::string_view::npos) return hints;
    const Error wrong{ErrorCode::kBadInput,
                      R"(`hints`: must be an object of texts, such as {"sec-ch-ua-platform":"\"Windows\""})"};
    boost::json::error_code error;
    auto fields = boost::json::parse(extra, error);
    if (error || !fields.is_object()) return wrong;
    const boost::json::value* given = fields.as_object().if_contains("hints");
    if (given == nullptr || given->is_null()) return hints;
    if (!given->is_object()) return wrong;
    for (const auto& [name, value] : given->as_object()) {
      if (!value.is_string()) return wrong;
      std::string key(name);
      std::transform(key.begin(), key.end(), key.begin(),
                     [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
      hints.push_back(hints.empty() ? '{' : ',');
      append_json_string(hints, key);
      hints.push_back(':');
      append_json_string(hints, std::string_view(value.as_string()));
    }
    if (!hints.empty()) hints.push_back('}');
    return hints;
  }

  void complain(std::string_view message) {
    all_understood_ = false;
    constexpr std::string_view kRoom = "collect: ";
    if (message.starts_with(kRoom)) message.remove_prefix(kRoom.size());
    std::fprintf(stderr, "weir: %s%.*s\n", place_.c_str(), static_cast<int>(message.size()), message.data());
  }

  std::shared_ptr<const settings::Snapshot> settings_;
  const settings::Project* project_ = nullptr;
  collect::NativeDecoder decoder_;
  InClear secrets_;
  event::RecordParser parser_;
  enrich::Enricher enricher_;
  std::string ip_;
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

Result<> explain_input(Explainer& explainer) {
  Input input([&] { explainer.flush(); });
  std::string_view line;
  for (bool first = true;;) {
    auto read = input.line(line);
    if (!read) return std::move(read).error();
    if (!*read || explainer.output_failed()) return {};
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
        explainer.explain(*whole, number == 1 ? "" : fmt::format("from line {} on, ", number));
        return {};
      }
      first = false;
      continue;
    }
    first = false;
    explainer.explain(line, fmt::format("line {}, ", input.number()));
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

  Explainer explainer(packs.current(), *settings);
  if (!arguments.project.empty())
    if (auto used = explainer.use_project(arguments.project); !used) return fail(used.error().message);
  Result<> read;
  if (arguments.by_flags)
    explainer.explain(event_of(arguments), "the event of the flags, ");
  else
    read = explain_input(explainer);
  explainer.flush();
  if (!read) return fail(read.error().message);
  if (explainer.output_failed()) return fail("writing to the output failed");
  return explainer.all_understood() ? 0 : 1;
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
