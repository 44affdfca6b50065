#pragma once

#include "weir/api/access.h"
#include "weir/api/sessions.h"
#include "weir/http/message.h"
#include "weir/settings/settings.h"

// Who works in the projects, whom a link shows one, what was changed: JSON over the settings repository. Each function
// answers one request of a caller who was let in; they block on the database. Nobody gives, changes or takes away a
// role that is above their own.
namespace weir::api {

// `reference`: the project; empty: everybody, for who may see them all.
http::Response list_users(settings::Repository& settings, const Caller& caller, std::string_view reference);
http::Response change_user(settings::Repository& settings, const Caller& caller, std::string_view id,
                           std::string_view body);
http::Response delete_user(settings::Repository& settings, Sessions& sessions, const Caller& caller,
                           std::string_view id);

http::Response list_invitations(settings::Repository& settings, const Caller& caller, std::string_view reference);
http::Response create_invitation(settings::Repository& settings, const Caller& caller, std::string_view body);
http::Response delete_invitation(settings::Repository& settings, const Caller& caller, std::string_view id);

http::Response list_shares(settings::Repository& settings, const Caller& caller, std::string_view reference);
// `hash`: that of the password that the body gives, made by somebody who can wait; empty: none.
http::Response create_share(settings::Repository& settings, const Caller& caller, std::string_view body,
                            std::string_view hash);
http::Response delete_share(settings::Repository& settings, const Caller& caller, std::string_view id);

http::Response list_audit(settings::Repository& settings, const Caller& caller, std::string_view query);

http::Response get_policy(settings::Repository& settings);
http::Response change_policy(settings::Repository& settings, const Caller& caller, std::string_view body);

}  // namespace weir::api
