#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <string>
#include <string_view>

#include "weir/settings/settings.h"

// What is kept, as JSON: for DATA/settings.snapshot, and for what the audit log says of a change. Of this room alone.
// Bytes are hexadecimal, ids decimal texts, times milliseconds. from_json() throws on anything but what to_json()
// makes.
namespace weir::settings {

boost::json::object to_json(const Project& project);
boost::json::object to_json(const Key& key);
boost::json::object to_json(const OutsideName& name);
boost::json::object to_json(const TrafficRule& rule);
boost::json::object to_json(const Item& item);
boost::json::object to_json(const User& user);
boost::json::object to_json(const Invitation& invitation);
boost::json::object to_json(const Share& share);
boost::json::object to_json(const Policy& policy);

std::string encode(const State& state);
State decode(std::string_view text);

// Lists of texts and grants, as they also stand in a column.
boost::json::array to_json(const std::vector<std::string>& texts);
std::vector<std::string> texts_from_json(const boost::json::value& from);

}  // namespace weir::settings
