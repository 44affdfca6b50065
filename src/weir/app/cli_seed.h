#pragma once

namespace CLI {
class App;
}

namespace weir::app {

struct Invocation;

// `weir seed`: a demo history, made in the running server. docs/seed.md tells what is in it.
void add_seed_command(CLI::App& cli, Invocation& invocation);

}  // namespace weir::app
