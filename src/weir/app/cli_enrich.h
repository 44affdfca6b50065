#pragma once

namespace CLI {
class App;
}

namespace weir::app {

struct Invocation;

// `weir enrich`: what weir would say of events, and why, without storing them; with or without a running server.
// docs/enrich.md tells what comes out. Keeps `invocation` by reference.
void add_enrich_command(CLI::App& cli, Invocation& invocation);

}  // namespace weir::app
