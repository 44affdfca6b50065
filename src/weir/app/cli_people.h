#pragma once

namespace CLI {
class App;
}

namespace weir::app {

struct Invocation;

// `weir user ...` and `weir share ...`: who works with weir, and whom a link shows a project.
void add_people_commands(CLI::App& cli, Invocation& invocation);

}  // namespace weir::app
