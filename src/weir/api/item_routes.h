#pragma once

#include "weir/api/access.h"
#include "weir/http/message.h"
#include "weir/settings/settings.h"

// Goals, segments, annotations, properties and saved queries as JSON over the settings repository: one shape for all
// kinds, the fields of the body beside those that each has. Each function answers one request of a caller who was let
// in; they block on the database.
namespace weir::api {

// `reference`: the project; empty: the items of no project in particular.
http::Response list_items(settings::Repository& settings, const Caller& caller, settings::ItemKind kind,
                          std::string_view reference);
http::Response create_item(settings::Repository& settings, const Caller& caller, settings::ItemKind kind,
                           std::string_view body);
http::Response change_item(settings::Repository& settings, const Caller& caller, settings::ItemKind kind,
                           std::string_view id, std::string_view body);
http::Response delete_item(settings::Repository& settings, const Caller& caller, settings::ItemKind kind,
                           std::string_view id);

}  // namespace weir::api
