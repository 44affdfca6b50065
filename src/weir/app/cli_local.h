#pragma once

namespace CLI {
class App;
}

namespace weir::app {

struct Invocation;

// The commands `journal` (all but replay work without a server) and `doctor`.
// Keeps `invocation` by reference.
void add_local_commands(CLI::App& cli, Invocation& invocation);

}  // namespace weir::app
