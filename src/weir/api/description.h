#pragma once

#include <string>

namespace weir::api {

// The API's description as OpenAPI 3.1: every route of access_table(), with what it demands of its caller, its
// parameters, and the fields of its body.
std::string openapi_json();

}  // namespace weir::api
