#pragma once

namespace CLI {
class App;
}

namespace weir::app {

struct Invocation;

// The commands `project`, `key`, `rule` and `query`, which talk to a running server, and `config`, which needs none.
// Keeps `invocation` by reference.
void add_admin_commands(CLI::App& cli, Invocation& invocation);

}  // namespace weir::app
