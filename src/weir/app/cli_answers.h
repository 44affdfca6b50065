#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weir/app/client.h"

namespace CLI {
class App;
}

// What the subcommands that ask a running server share: a request's fields, an answer as lines.
namespace weir::app {

struct Invocation;

inline constexpr int kFailure = 1;

// One line on stderr; the exit code of a failure.
int fail(std::string_view message);
bool print(std::string_view text);
// A command succeeds only when its output went out.
int end_of_output();

// A JSON object of the fields that were given.
class Fields {
 public:
  Fields& text(std::string_view name, const std::string& value);
  Fields& number(std::string_view name, std::optional<uint64_t> value);
  // `json` is written as it is.
  Fields& raw(std::string_view name, std::string_view json);
  std::string done() const { return out_ + "}"; }

 private:
  std::string out_ = "{";
};

// A member of a JSON object, as a person reads it; "-" where there is none. Throws when `json` is no object.
std::string member_of(const std::string& json, std::string_view member);

enum class Output { table, json };
// Asks for a list and prints it, one line an object.
int list(const Invocation& invocation, std::string_view target, std::string_view member, Output output,
         const std::vector<std::string_view>& columns);
// One JSON object as a list of one.
std::string row(const std::string& json, const std::vector<std::string_view>& columns);
// Sends a change; prints what `report` makes of the answer's body.
int change(const Invocation& invocation, const ServerRequest& question,
           const std::function<std::string(const std::string& body)>& report);

void add_format(CLI::App* command, std::string& format, const std::vector<std::string>& known);

// When something that lasts `duration` (12h, 90d) from now ends, in RFC 3339. Errors: kBadInput.
Result<std::string> moment_after(const std::string& duration);

}  // namespace weir::app
