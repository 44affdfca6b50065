#include "weir/app/cli_people.h"

#include <fmt/format.h>
#include <termios.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "weir/app/cli_answers.h"
#include "weir/app/client.h"
#include "weir/app/invocation.h"
#include "weir/base/json_writer.h"

namespace weir::app {

namespace {
namespace json = boost::json;

const std::vector<std::string> kRoles = {"viewer", "editor", "admin", "owner"};

// A line of the input, which a terminal does not show.
std::string read_password() {
  termios before{};
  bool terminal = ::isatty(STDIN_FILENO) != 0 && tcgetattr(STDIN_FILENO, &before) == 0;
  if (terminal) {
    termios silent = before;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
    std::cerr << "Password: " << std::flush;
  }
  std::string line;
  std::getline(std::cin, line);
  if (terminal) {
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    std::cerr << "\n";
  }
  return line;
}

// Where the server's pages are: --url, else the path alone.
std::string whole_link(const Invocation& invocation, const std::string& path) {
  std::string base = invocation.url;
  while (!base.empty() && base.back() == '/') base.pop_back();
  return base + path;
}

// ---- user ---------------------------------------------------------------------------------------------------------

struct UserArguments {
  std::string email;
  std::string new_email;
  std::string name;
  std::string role;
  std::string project;
  bool no_role = false;
  bool password = false;
  bool lost_second_factor = false;
  std::string format = "table";
};

// The person of that email, as the list of all has them. Throws when the answer is not understood.
Result<json::object> find_user(const Invocation& invocation, const std::string& email) {
  auto answer = request(invocation, {.target = "/api/v1/users"});
  if (!answer) return std::move(answer).error();
  const json::value whole = json::parse(answer->body);
  for (const json::value& user : whole.as_object().at("users").as_array()) {
    if (user.at("email").as_string() == email) return user.as_object();
  }
  return Error{ErrorCode::kNotFound, "nobody has the email " + email};
}

std::string roles_of(const json::object& user) {
  std::string text;
  for (const json::value& grant : user.at("grants").as_array()) {
    const json::value& project = grant.at("project");
    text += fmt::format("{}{} of {}", text.empty() ? "" : ", ", std::string_view(grant.at("role").as_string()),
                        project.is_null() ? "all projects" : std::string_view(project.as_string()));
  }
  return text.empty() ? "-" : text;
}

int list_users(const Invocation& invocation, const UserArguments& a) {
  std::string target = "/api/v1/users";
  if (!a.project.empty()) target += "?project=" + url_encode(a.project);
  if (a.format == "json") return list(invocation, target, "users", Output::json, {});
  auto answer = request(invocation, {.target = target});
  if (!answer) return fail(answer.error().message);
  try {
    const json::value whole = json::parse(answer->body);
    for (const json::value& user : whole.as_object().at("users").as_array()) {
      print(fmt::format("{:<32} {:<24} {}{}\n", std::string_view(user.at("email").as_string()),
                        std::string_view(user.at("name").as_string()), roles_of(user.as_object()),
                        user.at("second_factor").as_bool() ? "" : "  (no second factor)"));
    }
  } catch (const std::exception& e) {
    return fail(fmt::format("the server's answer is not understood: {}", e.what()));
  }
  return end_of_output();
}

int change_user(const Invocation& invocation, const UserArguments& a) {
  try {
    auto user = find_user(invocation, a.email);
    if (!user) return fail(user.error().message);
    Fields fields;
    fields.text("email", a.new_email).text("name", a.name);
    if (a.lost_second_factor) fields.raw("second_factor", "false");
    if (!a.role.empty() || a.no_role) {
      json::array grants;
      json::value place = a.project.empty() ? json::value(nullptr) : json::value(a.project);
      for (const json::value& grant : user->at("grants").as_array()) {
        if (grant.at("project") != place) grants.push_back(grant);
      }
      if (!a.no_role) grants.push_back(json::object{{"project", place}, {"role", a.role}});
      fields.raw("grants", json::serialize(grants));
    }
    std::string body = fields.done();
    if (body == "{}" && !a.password)
      return fail("nothing to change: give --email, --name, --role, --no-role, --password or --lost-second-factor");
    if (a.password) {
      auto set =
          request(invocation, {.method = "POST",
                               .target = "/api/v1/users/password",
                               .body = Fields().text("email", a.email).text("password", read_password()).done()});
      if (!set) return fail(set.error().message);
      print("the password is set; all sessions have ended\n");
    }
    if (body == "{}") return end_of_output();
    return change(invocation,
                  {.method = "PATCH",
                   .target = "/api/v1/users/" + std::string(user->at("id").as_string()),
                   .body = std::move(body)},
                  [](const std::string& answer) {
                    json::value changed = json::parse(answer);
                    return fmt::format("{}: {}\n", std::string_view(changed.at("email").as_string()),
                                       roles_of(changed.as_object()));
                  });
  } catch (const std::exception& e) {
    return fail(fmt::format("the server's answer is not understood: {}", e.what()));
  }
}

int delete_user(const Invocation& invocation, const UserArguments& a) {
  try {
    auto user = find_user(invocation, a.email);
    if (!user) return fail(user.error().message);
    return change(invocation,
                  {.method = "DELETE", .target = "/api/v1/users/" + std::string(user->at("id").as_string())},
                  [&](const std::string&) { return fmt::format("deleted the account of {}\n", a.email); });
  } catch (const std::exception& e) {
    return fail(fmt::format("the server's answer is not understood: {}", e.what()));
  }
}

void add_user_commands(CLI::App& cli, Invocation& invocation) {
  auto* user = cli.add_subcommand("user", "People: create, invite, list, change, delete");
  user->require_subcommand(1);
  auto a = std::make_shared<UserArguments>();
  auto add_role = [&](CLI::App* command) {
    command
        ->add_option("--role", a->role, "viewer (reports), editor (and goals, SQL), admin (and settings), owner (all)")
        ->check(CLI::IsMember(kRoles));
    command->add_option("--project", a->project, "The role is for this project; else for all");
    return command;
  };

  auto* create = user->add_subcommand("create", "Create an account; the password is read from the input");
  create->add_option("EMAIL", a->email, "They sign in with it")->required();
  create->add_option("--name", a->name, "Their name");
  add_role(create)->get_option("--role")->required();
  create->callback([&invocation, a] {
    invocation.action = [&invocation, a] {
      std::string body = Fields()
                             .text("email", a->email)
                             .text("name", a->name)
                             .text("role", a->role)
                             .text("project", a->project)
                             .text("password", read_password())
                             .done();
      return change(invocation, {.method = "POST", .target = "/api/v1/users", .body = body},
                    [](const std::string& answer) {
                      return fmt::format("created the account of {} (id {})\n", member_of(answer, "email"),
                                         member_of(answer, "id"));
                    });
    };
  });

  auto* invite = user->add_subcommand("invite", "Print a link by which somebody makes their account, once");
  invite->add_option("EMAIL", a->email, "Who is invited")->required();
  add_role(invite)->get_option("--role")->required();
  invite->callback([&invocation, a] {
    invocation.action = [&invocation, a] {
      std::string body = Fields().text("email", a->email).text("role", a->role).text("project", a->project).done();
      return change(invocation, {.method = "POST", .target = "/api/v1/invitations", .body = body},
                    [&invocation](const std::string& answer) {
                      return whole_link(invocation, member_of(answer, "link")) + "\n";
                    });
    };
  });

  auto* list_command = user->add_subcommand("list", "Everybody, with their roles");
  list_command->add_option("--project", a->project, "Those who see this project");
  add_format(list_command, a->format, {"table", "json"});
  list_command->callback(
      [&invocation, a] { invocation.action = [&invocation, a] { return list_users(invocation, *a); }; });

  auto* change_command = user->add_subcommand("change", "Change an account");
  change_command->add_option("EMAIL", a->email, "Whose")->required();
  change_command->add_option("--email", a->new_email, "Another email");
  change_command->add_option("--name", a->name, "Another name");
  add_role(change_command);
  change_command->add_flag("--no-role", a->no_role, "Take away the role there")->excludes("--role");
  change_command->add_flag("--password", a->password, "Set the password, read from the input; ends their sessions");
  change_command->add_flag("--lost-second-factor", a->lost_second_factor, "Take the second factor away");
  change_command->callback(
      [&invocation, a] { invocation.action = [&invocation, a] { return change_user(invocation, *a); }; });

  auto* remove = user->add_subcommand("delete", "Delete an account and what is personal of it");
  remove->add_option("EMAIL", a->email, "Whose")->required();
  remove->callback([&invocation, a] { invocation.action = [&invocation, a] { return delete_user(invocation, *a); }; });
}

// ---- share --------------------------------------------------------------------------------------------------------

struct ShareArguments {
  std::string id;
  std::string project;
  std::string name;
  std::string expires;
  std::vector<std::string> origins;
  bool password = false;
  bool replace = false;
  std::string format = "table";
  std::string create_format = "text";
};

// Ends the links of that name in the project. Errors as request().
Result<> end_shares(const Invocation& invocation, const std::string& project, const std::string& name) {
  auto answer = request(invocation, {.target = "/api/v1/shares?project=" + url_encode(project)});
  if (!answer) return std::move(answer).error();
  const json::value whole = json::parse(answer->body);
  for (const json::value& share : whole.as_object().at("shares").as_array()) {
    if (share.at("name").as_string() != name) continue;
    auto ended = request(invocation,
                         {.method = "DELETE", .target = "/api/v1/shares/" + std::string(share.at("id").as_string())});
    if (!ended) return std::move(ended).error();
  }
  return {};
}

int create_share(const Invocation& invocation, const ShareArguments& a) {
  try {
    std::string expires_at;
    if (!a.expires.empty()) {
      auto moment = moment_after(a.expires);
      if (!moment) return fail(moment.error().message);
      expires_at = *moment;
    }
    if (a.replace) {
      if (auto ended = end_shares(invocation, a.project, a.name); !ended) return fail(ended.error().message);
    }
    json::array origins;
    for (const std::string& origin : a.origins) origins.emplace_back(origin);
    std::string body = Fields()
                           .text("project", a.project)
                           .text("name", a.name)
                           .text("expires_at", expires_at)
                           .text("password", a.password ? read_password() : "")
                           .raw("origins", json::serialize(origins))
                           .done();
    return change(
        invocation, {.method = "POST", .target = "/api/v1/shares", .body = body}, [&](const std::string& answer) {
          std::string link = whole_link(invocation, member_of(answer, "link"));
          if (a.create_format == "json") return answer + "\n";
          if (a.create_format == "plain") return link + "\n";
          return fmt::format("{}\nWhoever has this link sees project {}. It is shown this once.\n", link, a.project);
        });
  } catch (const std::exception& e) {
    return fail(fmt::format("the server's answer is not understood: {}", e.what()));
  }
}

void add_share_commands(CLI::App& cli, Invocation& invocation) {
  auto* share = cli.add_subcommand("share", "Links that show a project to whoever has them");
  share->require_subcommand(1);
  auto a = std::make_shared<ShareArguments>();

  auto* create = share->add_subcommand("create", "Make a link and print it, this once");
  create->add_option("--project", a->project, "What it shows")->required();
  create->add_option("--name", a->name, "What it is for")->required();
  create->add_option("--expires", a->expires, "How long it works, such as 90d; else for ever");
  create->add_option("--origin", a->origins, "A site whose pages may show it in a frame, https://www.example.com");
  create->add_flag("--password", a->password, "Ask for a password, which is read from the input");
  create->add_flag("--replace", a->replace, "In place of those of that name");
  add_format(create, a->create_format, {"text", "plain", "json"});
  create->callback([&invocation, a] { invocation.action = [&invocation, a] { return create_share(invocation, *a); }; });

  auto* list_command = share->add_subcommand("list", "All links, without their secret part");
  list_command->add_option("--project", a->project, "Those of this project");
  add_format(list_command, a->format, {"table", "json"});
  list_command->callback([&invocation, a] {
    invocation.action = [&invocation, a] {
      std::string target = "/api/v1/shares";
      if (!a->project.empty()) target += "?project=" + url_encode(a->project);
      return list(invocation, target, "shares", a->format == "json" ? Output::json : Output::table,
                  {"id", "project", "name", "password", "created_at", "expires_at"});
    };
  });

  auto* remove = share->add_subcommand("delete", "End a link; it shows nothing any more");
  remove->add_option("ID", a->id, "As `weir share list` shows it")->required();
  remove->callback([&invocation, a] {
    invocation.action = [&invocation, a] {
      return change(invocation, {.method = "DELETE", .target = "/api/v1/shares/" + url_encode(a->id)},
                    [a](const std::string&) { return fmt::format("deleted the link {}\n", a->id); });
    };
  });
}
}  // namespace

void add_people_commands(CLI::App& cli, Invocation& invocation) {
  add_user_commands(cli, invocation);
  add_share_commands(cli, invocation);
}

}  // namespace weir::app
