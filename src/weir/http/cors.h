#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "weir/http/router.h"

namespace weir::http {

// The origins of the options, as browsers write them: "https://stats.example.org". Immutable.
class Origins {
 public:
  // Errors: kBadInput (not scheme://host[:port]; names the entry).
  static Result<Origins> parse(const std::vector<std::string>& entries);
  bool contains(std::string_view origin) const;

 private:
  std::vector<std::string> origins_;  // lower case
};

// Appends the CORS header lines of an answer to `request` on a route with this Cors.
void append_cors(std::string& head, Cors cors, const Origins& origins, const Request& request);
// Appends those that only the answer to a preflight has. `allowed`: the methods of the path.
void append_preflight(std::string& head, Cors cors, const Origins& origins, const Request& request,
                      std::string_view allowed);

}  // namespace weir::http
