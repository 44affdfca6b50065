#pragma once

namespace CLI {
class App;
}

namespace weir::app {

struct Invocation;

// The command `serve`. Keeps `invocation` by reference.
void add_serve_command(CLI::App& cli, Invocation& invocation);

}  // namespace weir::app
