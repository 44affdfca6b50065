#pragma once

#include "weir/api/access.h"
#include "weir/http/message.h"
#include "weir/settings/settings.h"

// Projects, keys, outside names and rules about traffic as JSON over the settings repository. Each function answers one
// request of a caller who was let in; they block on the database.
namespace weir::api {

http::Response list_projects(settings::Repository& settings, const Caller& caller);
http::Response create_project(settings::Repository& settings, const Caller& caller, std::string_view body);
// `reference`: a project's name, or its id in decimal.
http::Response get_project(settings::Repository& settings, const Caller& caller, std::string_view reference);
http::Response change_project(settings::Repository& settings, const Caller& caller, std::string_view reference,
                              std::string_view body);
http::Response delete_project(settings::Repository& settings, const Caller& caller, std::string_view reference);

http::Response list_keys(settings::Repository& settings, const Caller& caller);
http::Response create_key(settings::Repository& settings, const Caller& caller, std::string_view body);
http::Response delete_key(settings::Repository& settings, const Caller& caller, std::string_view id);

http::Response list_names(settings::Repository& settings, const Caller& caller);
http::Response add_name(settings::Repository& settings, const Caller& caller, std::string_view body);
http::Response delete_name(settings::Repository& settings, const Caller& caller, std::string_view value);

// `reference`: narrows the list to a project's own rules; empty: all that the caller may see.
http::Response list_rules(settings::Repository& settings, const Caller& caller, std::string_view reference);
http::Response add_rule(settings::Repository& settings, const Caller& caller, std::string_view body);
http::Response delete_rule(settings::Repository& settings, const Caller& caller, std::string_view id);

}  // namespace weir::api
