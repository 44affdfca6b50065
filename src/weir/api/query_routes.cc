#include "weir/api/query_routes.h"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "weir/api/answers.h"

namespace weir::api {

namespace json = boost::json;

namespace {
std::string_view view(const json::string& text) { return {text.data(), text.size()}; }

std::string text_of(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(view(value->get_string())) : std::string();
}

query::Goal goal_of(const settings::Item& item) {
  query::Goal goal;
  goal.name = item.name;
  boost::system::error_code error;
  json::value body = json::parse(item.body, error);
  const json::object* fields = error ? nullptr : body.if_object();
  if (fields == nullptr) return goal;
  goal.event = text_of(*fields, "event");
  goal.page = text_of(*fields, "page");
  goal.currency = text_of(*fields, "currency");
  if (const json::value* property = fields->if_contains("property"); property != nullptr && property->is_object())
    goal.property.emplace(text_of(property->get_object(), "name"), text_of(property->get_object(), "value"));
  return goal;
}

// The form of the answer: what the query says, else what the client would rather have.
Result<query::AnswerForm> form_of(const http::Request& request) {
  query::AnswerForm form = query::AnswerForm::json;
  std::string name;
  if (http::query_parameter(request.query, "format", name)) {
    if (!query::parse_answer_form(name, form))
      return Error{ErrorCode::kBadInput, "api: format: json, csv, jsonl, parquet or arrow, not " + name.substr(0, 40)};
    return form;
  }
  const std::string_view accept = request.header("accept");
  for (query::AnswerForm other :
       {query::AnswerForm::csv, query::AnswerForm::json_lines, query::AnswerForm::parquet, query::AnswerForm::arrow}) {
    std::string_view type = query::content_type_of(other);
    type = type.substr(0, type.find(';'));
    if (accept.starts_with(type)) return other;
  }
  return form;
}
}  // namespace

Result<StatsQuestion> read_question(http::Request& request, const Caller& caller, const settings::Snapshot& snapshot,
                                    UnixMillis now) {
  auto form = form_of(request);
  if (!form) return std::move(form).error();
  boost::system::error_code error;
  json::value body = json::parse(request.body, error, {}, {.max_depth = 32});
  if (error || !body.is_object()) return Error{ErrorCode::kBadInput, "query: expected a JSON object"};
  std::string reference = text_of(body.get_object(), "site_id");
  if (reference.empty())
    return Error{ErrorCode::kBadInput, "query: site_id: expected the name, the id or an outside name of a project"};
  const settings::Project* project = project_named(snapshot, reference);
  if (project == nullptr) project = snapshot.project_of_outside_name(reference);
  // Whoever may not see a project does not learn that there is one.
  if (project == nullptr || !caller.sees(project->id))
    return Error{ErrorCode::kNotFound, "query: site_id: no such project: " + reference.substr(0, 100)};

  StatsQuestion question;
  question.form = *form;
  question.body = std::move(request.body);
  question.context.project = project->id;
  question.context.project_name = project->name;
  question.context.time_zone = project->time_zone;
  question.context.now = now;
  question.context.lock = caller.filters();
  return question;
}

void add_items(const settings::Snapshot& snapshot, const Caller& caller, query::Context& context) {
  for (const settings::Item& item : snapshot.items(context.project, settings::ItemKind::goal))
    context.goals.push_back(goal_of(item));
  for (const settings::Item& item : snapshot.items(context.project, settings::ItemKind::segment)) {
    const query::Segment segment{item.id, item.body};
    const bool shared = !item.owner;
    // A link's filters may name segments that who opens it does not see.
    if (shared && !context.lock.empty()) context.lock_segments.push_back(segment);
    if (caller.kind() != Caller::Kind::share && (shared || item.owner == caller.user()))
      context.segments.push_back(segment);
  }
}

std::string file_name_of(query::AnswerForm form, std::string_view project) {
  const char* ending = form == query::AnswerForm::csv          ? "csv"
                       : form == query::AnswerForm::json_lines ? "jsonl"
                       : form == query::AnswerForm::parquet    ? "parquet"
                       : form == query::AnswerForm::arrow      ? "arrow"
                                                               : "";
  return *ending == '\0' ? std::string() : fmt::format("{}.{}", project, ending);
}

}  // namespace weir::api
