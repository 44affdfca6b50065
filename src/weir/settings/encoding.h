#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "weir/settings/settings.h"

// What is kept, as JSON: for DATA/settings.snapshot, and for what the audit log says of a change. Of this room alone.
// Bytes are hexadecimal, ids decimal texts, times milliseconds. from_json() throws on anything but what to_json()
// makes.
namespace weir::settings {

std::string to_json(const Project& project);
std::string to_json(const Key& key);
std::string to_json(const OutsideName& name);
std::string to_json(const TrafficRule& rule);
std::string to_json(const Item& item);
std::string to_json(const User& user);
std::string to_json(const Invitation& invitation);
std::string to_json(const Share& share);
std::string to_json(const Policy& policy);

std::string encode(const State& state);
// Throws on anything but what encode() makes.
State decode(std::string_view text);

// A list of texts, as it stands in a column. False when `json` is none.
std::string to_json(const std::vector<std::string>& texts);
bool texts_from_json(std::string_view json, std::vector<std::string>& texts);

}  // namespace weir::settings
