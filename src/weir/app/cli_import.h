#pragma once

namespace CLI {
class App;
}

namespace weir::app {

struct Invocation;

// The command `import access-log`: reads logs, sends them in chunks to a running server and sums up what became of
// every line. Keeps `invocation` by reference.
void add_import_commands(CLI::App& cli, Invocation& invocation);

}  // namespace weir::app
