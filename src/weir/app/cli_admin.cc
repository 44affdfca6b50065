#include "weir/app/cli_admin.h"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json.hpp>
#include <cstdio>
#include <iostream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "weir/app/cli_answers.h"
#include "weir/app/client.h"
#include "weir/app/invocation.h"
#include "weir/base/clock.h"
#include "weir/base/json_writer.h"
#include "weir/config/config.h"

namespace weir::app {

namespace {
namespace json = boost::json;

// ---- project ------------------------------------------------------------------------------------------------------

struct ProjectArguments {
  std::string name;
  std::string new_name;
  std::string time_zone;
  std::string ip_policy;
  std::optional<uint64_t> retention_days;
  std::optional<std::string> hostnames;
  std::string foreign_hostnames;
  std::string privacy_signals;
  std::string format = "table";
};

// `a.example, *.b.example` as a JSON list; `none`: an empty one.
std::string list_of_names(std::string_view names) {
  std::string out = "[";
  if (names == "none") names = {};
  while (!names.empty()) {
    std::string_view name = names.substr(0, names.find(','));
    names.remove_prefix(std::min(names.size(), name.size() + 1));
    while (name.starts_with(' ')) name.remove_prefix(1);
    while (name.ends_with(' ')) name.remove_suffix(1);
    if (out.size() > 1) out += ',';
    append_json_string(out, name);
  }
  return out + "]";
}

std::string fields_of(const ProjectArguments& a, const std::string& name) {
  Fields fields;
  fields.text("name", name)
      .text("time_zone", a.time_zone)
      .number("retention_days", a.retention_days)
      .text("ip_policy", a.ip_policy)
      .text("foreign_hostnames", a.foreign_hostnames)
      .text("privacy_signals", a.privacy_signals);
  if (a.hostnames) fields.raw("hostnames", list_of_names(*a.hostnames));
  return fields.done();
}

void add_project_settings(CLI::App* command, ProjectArguments& a) {
  command->add_option("--time-zone", a.time_zone, "IANA name, such as Europe/Berlin; days begin there");
  command->add_option("--retention-days", a.retention_days, "Events older than this are not kept; 0: for ever");
  command->add_option("--ip-policy", a.ip_policy, "What of an address the store keeps: none, masked, whole");
  command->add_option("--hostnames", a.hostnames,
                      "The hosts of its own sites, with commas: www.example.com,*.example.org; or none");
  command->add_option("--foreign-hostnames", a.foreign_hostnames,
                      "What events from pages of other hosts are: keep (like any other), spam (labelled)");
  command->add_option("--privacy-signals", a.privacy_signals,
                      "Events of browsers that send Sec-GPC: 1 or DNT: 1: ignore (the signal), respect (not stored)");
}

void add_project_commands(CLI::App& cli, Invocation& invocation) {
  auto* project = cli.add_subcommand("project", "List, create, change, delete projects");
  project->require_subcommand(1);
  auto a = std::make_shared<ProjectArguments>();

  auto* list_command = project->add_subcommand("list", "All projects");
  add_format(list_command, a->format, {"table", "json"});
  list_command->callback([&invocation, a] {
    invocation.action = [&invocation, a] {
      return list(invocation, "/api/v1/projects", "projects", a->format == "json" ? Output::json : Output::table,
                  {"name", "id", "time_zone", "retention_days", "ip_policy", "hostnames", "created_at"});
    };
  });

  auto* create = project->add_subcommand("create", "Create a project");
  create->add_option("NAME", a->name, "1-64 of a-z A-Z 0-9 . _ -")->required();
  add_project_settings(create, *a);
  create->callback([&invocation, a] {
    invocation.action = [&invocation, a] {
      return change(invocation, {.method = "POST", .target = "/api/v1/projects", .body = fields_of(*a, a->name)},
                    [a](const std::string& body) {
                      return fmt::format("created project {} (id {})\n", a->name, member_of(body, "id"));
                    });
    };
  });

  auto* rename = project->add_subcommand("rename", "Give a project another name; its id and its events stay");
  rename->add_option("NAME", a->name, "Its name or id")->required();
  rename->add_option("NEW-NAME", a->new_name, "1-64 of a-z A-Z 0-9 . _ -")->required();
  rename->callback([&invocation, a] {
    invocation.action = [&invocation, a] {
      return change(invocation,
                    {.method = "PATCH",
                     .target = "/api/v1/projects/" + url_encode(a->name),
                     .body = Fields().text("name", a->new_name).done()},
                    [a](const std::string&) { return fmt::format("{} is now {}\n", a->name, a->new_name); });
    };
  });

  auto* set = project->add_subcommand("set", "Change a project's settings");
  set->add_option("NAME", a->name, "Its name or id")->required();
  add_project_settings(set, *a);
  set->callback([&invocation, a] {
    invocation.action = [&invocation, a] {
      std::string fields = fields_of(*a, "");
      if (fields == "{}") return fail("nothing to set: give an option, such as --time-zone Europe/Berlin");
      return change(invocation,
                    {.method = "PATCH", .target = "/api/v1/projects/" + url_encode(a->name), .body = fields},
                    [](const std::string& body) {
                      return row(body, {"name", "id", "time_zone", "retention_days", "ip_policy", "hostnames",
                                        "foreign_hostnames", "privacy_signals"});
                    });
    };
  });

  auto* remove = project->add_subcommand("delete", "Delete a project, its keys and outside names");
  remove->add_option("NAME", a->name, "Its name or id")->required();
  remove->callback([&invocation, a] {
    invocation.action = [&invocation, a] {
      return change(invocation, {.method = "DELETE", .target = "/api/v1/projects/" + url_encode(a->name)},
                    [a](const std::string&) { return fmt::format("deleted project {}\n", a->name); });
    };
  });
}

// ---- key ----------------------------------------------------------------------------------------------------------

struct KeyArguments {
  std::string id;
  std::string name;
  std::string scope;
  std::string project;
  std::string expires;
  std::string value;
  std::string format = "table";
  std::string create_format = "text";
};

int create_key(const Invocation& invocation, const KeyArguments& a) {
  std::string expires_at;
  if (!a.expires.empty()) {
    auto moment = moment_after(a.expires);
    if (!moment) return fail(moment.error().message);
    expires_at = *moment;
  }
  std::string body = Fields()
                         .text("name", a.name)
                         .text("scope", a.scope)
                         .text("project", a.project)
                         .text("expires_at", expires_at)
                         .done();
  return change(invocation, {.method = "POST", .target = "/api/v1/keys", .body = body}, [&](const std::string& answer) {
    if (a.create_format == "json") return answer + "\n";
    std::string secret = member_of(answer, "secret");
    if (a.create_format == "plain") return secret + "\n";
    return fmt::format("{}\nThis is key {}, scope {}. It is shown this once and never again.\n", secret,
                       member_of(answer, "id"), member_of(answer, "scope"));
  });
}

void add_key_commands(CLI::App& cli, Invocation& invocation) {
  auto* key = cli.add_subcommand("key", "API keys, and the outside names of projects");
  key->require_subcommand(1);
  auto a = std::make_shared<KeyArguments>();

  auto* create = key->add_subcommand("create", "Create a key and print it, this once");
  create->add_option("--name", a->name, "What it is for")->required();
  create->add_option("--scope", a->scope, "capture (send), stats (read reports), sql (and SQL), admin (everything)")
      ->required()
      ->check(CLI::IsMember(std::vector<std::string>{"capture", "stats", "sql", "admin"}));
  create->add_option("--project", a->project, "Only this project; else all");
  create->add_option("--expires", a->expires, "How long it works, such as 90d; else for ever");
  add_format(create, a->create_format, {"text", "plain", "json"});
  create->callback([&invocation, a] { invocation.action = [&invocation, a] { return create_key(invocation, *a); }; });

  auto* list_command = key->add_subcommand("list", "All keys, without their secrets");
  add_format(list_command, a->format, {"table", "json"});
  list_command->callback([&invocation, a] {
    invocation.action = [&invocation, a] {
      return list(invocation, "/api/v1/keys", "keys", a->format == "json" ? Output::json : Output::table,
                  {"id", "name", "scope", "project", "created_at", "expires_at"});
    };
  });

  auto* remove = key->add_subcommand("delete", "Delete a key; it stops working at once");
  remove->add_option("ID", a->id, "As `weir key list` shows it")->required();
  remove->callback([&invocation, a] {
    invocation.action = [&invocation, a] {
      return change(invocation, {.method = "DELETE", .target = "/api/v1/keys/" + url_encode(a->id)},
                    [a](const std::string&) { return fmt::format("deleted key {}\n", a->id); });
    };
  });

  auto* add = key->add_subcommand(
      "add", "Let an outside name (a PostHog or Segment key, a Matomo site number, a domain) mean a project");
  add->add_option("--project", a->project, "The project it means")->required();
  add->add_option("--value", a->value, "The outside name")->required();
  add->callback([&invocation, a] {
    invocation.action = [&invocation, a] {
      std::string body = Fields().text("value", a->value).text("project", a->project).done();
      return change(invocation, {.method = "POST", .target = "/api/v1/names", .body = body},
                    [a](const std::string&) { return fmt::format("{} means project {}\n", a->value, a->project); });
    };
  });

  auto* names = key->add_subcommand("names", "All outside names");
  add_format(names, a->format, {"table", "json"});
  names->callback([&invocation, a] {
    invocation.action = [&invocation, a] {
      return list(invocation, "/api/v1/names", "names", a->format == "json" ? Output::json : Output::table,
                  {"value", "project"});
    };
  });

  auto* remove_name = key->add_subcommand("remove", "Take an outside name away");
  remove_name->add_option("--value", a->value, "The outside name")->required();
  remove_name->callback([&invocation, a] {
    invocation.action = [&invocation, a] {
      return change(invocation, {.method = "DELETE", .target = "/api/v1/names?value=" + url_encode(a->value)},
                    [a](const std::string&) { return fmt::format("{} means nothing any more\n", a->value); });
    };
  });
}

// ---- rule ---------------------------------------------------------------------------------------------------------

struct RuleArguments {
  std::string id;
  std::string project;
  bool all = false;
  std::string kind;
  std::string value;
  std::string label;
  std::string note;
  bool json = false;
};

void add_rule_commands(CLI::App& cli, Invocation& invocation) {
  auto* rule = cli.add_subcommand("rule", "Rules that label traffic as internal, spam or bot, from now on");
  rule->require_subcommand(1);
  auto a = std::make_shared<RuleArguments>();

  auto* add = rule->add_subcommand("add", "Add a rule");
  auto* where = add->add_option_group("where", "");
  where->add_option("--project", a->project, "For this project");
  where->add_flag("--all", a->all, "For all projects");
  where->require_option(1);
  add->add_option("--kind", a->kind, "What it looks at: address, hostname, referrer, path, user_agent")
      ->required()
      ->check(CLI::IsMember(std::vector<std::string>{"address", "hostname", "referrer", "path", "user_agent"}));
  add->add_option(
         "--value", a->value,
         "10.0.0.0/8; www.example.com or *.example.com; a referring host; /path and below, or with *; a part of "
         "the user agent")
      ->required();
  add->add_option("--label", a->label, "internal, spam, bot")
      ->required()
      ->check(CLI::IsMember(std::vector<std::string>{"internal", "spam", "bot"}));
  add->add_option("--note", a->note, "What it is for");
  add->callback([&invocation, a] {
    invocation.action = [&invocation, a] {
      std::string body = Fields()
                             .text("project", a->project)
                             .text("kind", a->kind)
                             .text("value", a->value)
                             .text("label", a->label)
                             .text("note", a->note)
                             .done();
      return change(
          invocation, {.method = "POST", .target = "/api/v1/rules", .body = body}, [](const std::string& answer) {
            return fmt::format("added rule {}: {} {} is {}\n", member_of(answer, "id"), member_of(answer, "kind"),
                               member_of(answer, "value"), member_of(answer, "label"));
          });
    };
  });

  auto* list_command = rule->add_subcommand("list", "All rules, the oldest first");
  list_command->add_option("--project", a->project, "Only those of this project");
  list_command->add_flag("--json", a->json, "As JSON");
  list_command->callback([&invocation, a] {
    invocation.action = [&invocation, a] {
      std::string target = "/api/v1/rules";
      if (!a->project.empty()) target += "?project=" + url_encode(a->project);
      return list(invocation, target, "rules", a->json ? Output::json : Output::table,
                  {"id", "project", "kind", "value", "label", "note", "created_at"});
    };
  });

  auto* remove = rule->add_subcommand("delete", "Delete a rule; what it labelled stays labelled");
  remove->add_option("ID", a->id, "As `weir rule list` shows it")->required();
  remove->callback([&invocation, a] {
    invocation.action = [&invocation, a] {
      return change(invocation, {.method = "DELETE", .target = "/api/v1/rules/" + url_encode(a->id)},
                    [a](const std::string&) { return fmt::format("deleted rule {}\n", a->id); });
    };
  });
}

// ---- event --------------------------------------------------------------------------------------------------------

std::string text_of(const json::object& from, std::string_view key) {
  const json::value* value = from.if_contains(key);
  if (value == nullptr) return {};
  return value->is_string() ? std::string(std::string_view(value->get_string())) : json::serialize(*value);
}

// One sighting in words.
std::string told(const json::object& sighting) {
  const std::string stage = text_of(sighting, "stage");
  std::string out = fmt::format("{}  project {}  accepted {}\n", text_of(sighting, "position"),
                                text_of(sighting, "project"), text_of(sighting, "received_at"));
  if (stage == "waiting") {
    out += fmt::format("  waiting: {} records are to be loaded before it\n", text_of(sighting, "before"));
  } else if (stage == "settled") {
    const std::string outcome = text_of(sighting, "outcome");
    out += "  no row: " + outcome;
    if (const std::string first = text_of(sighting, "first"); !first.empty()) out += " of " + first;
    if (const std::string reason = text_of(sighting, "reason"); !reason.empty()) out += ": " + reason;
    out += '\n';
  } else if (stage == "forgotten") {
    out += "  neither row nor record: the journal does not keep it any more\n";
  } else {
    out += "  " + stage + '\n';
  }
  const json::value* row = sighting.if_contains("row");
  if (row == nullptr || !row->is_object()) return out;
  for (const auto& [column, value] : row->get_object()) {
    const std::string text = value.is_string()   ? std::string(std::string_view(value.get_string()))
                             : value.is_double() ? fmt::format("{}", value.get_double())
                                                 : json::serialize(value);
    if (!text.empty() && text != "{}" && text != "null")
      out += fmt::format("  {:<18} {}\n", std::string_view(column), text);
  }
  return out;
}

int trace_event(const Invocation& invocation, const std::string& id, const std::string& project,
                const std::string& format) {
  ServerRequest question;
  question.target = "/api/v1/trace?id=" + url_encode(id);
  if (!project.empty()) question.target += "&project=" + url_encode(project);
  auto answer = request(invocation, question);
  if (!answer) return fail(answer.error().message);
  if (format == "json") return (print(answer->body + "\n"), end_of_output());
  boost::system::error_code failed;
  const json::value whole = json::parse(answer->body, failed);
  const json::object* object = failed ? nullptr : whole.if_object();
  const json::value* sightings = object == nullptr ? nullptr : object->if_contains("sightings");
  if (sightings == nullptr || !sightings->is_array()) return fail("the server's answer is not what was expected");
  for (const json::value& sighting : sightings->get_array())
    if (sighting.is_object()) print(told(sighting.get_object()));
  return end_of_output();
}

void add_event_command(CLI::App& cli, Invocation& invocation) {
  auto* event = cli.add_subcommand("event", "Where is my event: its stage, times, row, or why it has none");
  auto id = std::make_shared<std::string>();
  auto project = std::make_shared<std::string>();
  auto format = std::make_shared<std::string>("text");
  event->add_option("ID", *id, "The id its client gave, its event_id, or a position of the journal (live:812)")
      ->required();
  event->add_option("--project", *project, "Of this project only");
  add_format(event, *format, {"text", "json"});
  event->callback([&invocation, id, project, format] {
    invocation.action = [&invocation, id, project, format] { return trace_event(invocation, *id, *project, *format); };
  });
}

// ---- query --------------------------------------------------------------------------------------------------------

int query(const Invocation& invocation, std::string statement, std::string format) {
  if (statement == "-") statement.assign(std::istreambuf_iterator<char>(std::cin), {});
  if (format.empty()) format = ::isatty(STDOUT_FILENO) != 0 ? "Pretty" : "TSV";
  ServerRequest question;
  question.method = "POST";
  question.target = "/api/v1/sql?format=" + url_encode(format);
  question.body = std::move(statement);
  question.content_type = "text/plain; charset=utf-8";
  question.timeout = std::chrono::hours(2);  // the server's store.query_timeout_max ends it, and says so
  question.on_body = [](std::string_view piece) { return print(piece); };
  auto answer = request(invocation, question);
  if (std::ferror(stdout) != 0) return end_of_output();
  if (!answer) return fail(answer.error().message);
  return end_of_output();
}

void add_query_command(CLI::App& cli, Invocation& invocation) {
  auto* command = cli.add_subcommand("query", "Ask the public views one read-only SQL statement");
  auto statement = std::make_shared<std::string>();
  auto format = std::make_shared<std::string>();
  command->add_option("SQL", *statement, "The statement; - reads it from the input")->required();
  command->add_option("--format", *format,
                      "A format of ClickHouse's: Pretty (on a terminal), TSV (else), JSON, CSV...");
  command->callback([&invocation, statement, format] {
    invocation.action = [&invocation, statement, format] { return query(invocation, *statement, *format); };
  });
}

// ---- config -------------------------------------------------------------------------------------------------------

int check_config(const Invocation& invocation) {
  for (const config::Problem& problem : invocation.config.problems) fail(problem.message);
  if (!invocation.config.problems.empty()) return kFailure;
  print(invocation.config.file.empty() ? "no configuration file; the configuration is sound\n"
                                       : invocation.config.file + ": the configuration is sound\n");
  return end_of_output();
}

int show_config(const Invocation& invocation, const std::string& format) {
  for (const config::Problem& problem : invocation.config.problems) fail(problem.message);
  print(config::show(invocation.config, format == "toml"   ? config::ShowFormat::toml
                                        : format == "json" ? config::ShowFormat::json
                                                           : config::ShowFormat::text));
  int outcome = end_of_output();
  return invocation.config.problems.empty() ? outcome : kFailure;
}

void add_config_commands(CLI::App& cli, Invocation& invocation) {
  auto* config = cli.add_subcommand("config", "Show and check the start-up options");
  config->require_subcommand(1);
  auto format = std::make_shared<std::string>("text");
  auto* show = config->add_subcommand("show", "Every option, its value and where that came from; secrets masked");
  add_format(show, *format, {"text", "toml", "json"});
  show->callback([&invocation, format] {
    invocation.action = [&invocation, format] { return show_config(invocation, *format); };
  });
  config->add_subcommand("check", "Find errors in file, environment and flags")->callback([&invocation] {
    invocation.action = [&invocation] { return check_config(invocation); };
  });
  // Makes docs/configuration.md; of no use to operators.
  config->add_subcommand("docs", "")->group("")->callback([&invocation] {
    invocation.action = [] {
      print(config::documentation());
      return end_of_output();
    };
  });
}
}  // namespace

void add_admin_commands(CLI::App& cli, Invocation& invocation) {
  add_project_commands(cli, invocation);
  add_key_commands(cli, invocation);
  add_rule_commands(cli, invocation);
  add_event_command(cli, invocation);
  add_query_command(cli, invocation);
  add_config_commands(cli, invocation);
}

}  // namespace weir::app
