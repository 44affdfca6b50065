#include "weir/app/explainer.h"

#include <algorithm>
#include <boost/json.hpp>
#include <optional>

#include "weir/app/explained_event.h"
#include "weir/base/clock.h"
#include "weir/base/json_writer.h"
#include "weir/collect/intake.h"
#include "weir/collect/native.h"
#include "weir/enrich/enricher.h"
#include "weir/event/record.h"

namespace weir::app {

namespace {
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

// The field `hints`, which a server takes from the request's headers instead: among those it does not know.
// Client hints by their headers' names in lower case.
Result<std::string> hints_of(std::string_view extra) {
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
}  // namespace

class Explainer::State final : public collect::EventSink {
 public:
  State(std::shared_ptr<const enrich::Packs> packs, std::shared_ptr<const settings::Snapshot> settings, Output output)
      : settings_(std::move(settings)), output_(std::move(output)) {
    enricher_.use(packs, settings_);
  }

  Result<> use_project(const std::string& name) {
    project_ = find_project(name);
    if (project_ == nullptr) return Error{ErrorCode::kNotFound, "enrich: --project: no such project: " + name};
    return {};
  }

  void explain(std::string_view document) {
    collect::NativeRules rules;
    rules.events_max = UINT64_MAX;
    rules.app_in_event = project_ == nullptr;
    rules.may_name_visitor = true;
    if (auto decoded = decoder_.decode(document, rules, *this); !decoded) complain(decoded.error().message);
  }

  bool take(const collect::SentEvent& sent) override {
    line_.clear();
    auto explained = add(sent);
    return explained ? output_.event(line_) : complain(collect::place_of(sent) + explained.error().message);
  }
  bool reject(size_t, Error error) override { return complain(error.message); }

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
    append_explained_event(project->name, row, *why, line_);
    return {};
  }

  bool complain(std::string_view message) {
    constexpr std::string_view kRoom = "collect: ";
    if (message.starts_with(kRoom)) message.remove_prefix(kRoom.size());
    return output_.wrong(message);
  }

  std::shared_ptr<const settings::Snapshot> settings_;
  const Output output_;
  const settings::Project* project_ = nullptr;
  collect::NativeDecoder decoder_;
  InClear secrets_;
  event::RecordParser parser_;
  enrich::Enricher enricher_;
  std::string ip_;
  std::string line_;
};

Explainer::Explainer(std::shared_ptr<const enrich::Packs> packs, std::shared_ptr<const settings::Snapshot> settings,
                     Output output)
    : state_(std::make_unique<State>(std::move(packs), std::move(settings), std::move(output))) {}
Explainer::~Explainer() = default;
Result<> Explainer::use_project(const std::string& name) { return state_->use_project(name); }
void Explainer::explain(std::string_view document) { state_->explain(document); }

}  // namespace weir::app
