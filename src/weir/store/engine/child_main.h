#pragma once

#include <csignal>

namespace weir::store::engine {

// The hidden first argument that makes this program the store's engine instead of weir.
inline constexpr char kEngineArgument[] = "__engine";

// What main() does when argv[1] is kEngineArgument: becomes a private ClickHouse and returns when it has ended. Only
// here the engine's library is loaded. Meant for Engine, which starts it as
//   weir __engine PARENT_PID LIBRARY DATA_DIRECTORY CONFIG_FILE
// with an empty environment, fd 0 a pipe whose other end the parent keeps open (its end ends the engine, in order), and
// fd 3 a pipe on which one line tells how it went: "confined", "unconfined: why" or "failed: why".
int engine_main(int argc, char** argv);

// Tells the engine's process that it has started: it then gives back the library's code and constants, of which
// starting touches twice as much as serving does. Ignored by a process that has not come so far.
inline constexpr int kStartedSignal = SIGURG;

}  // namespace weir::store::engine
