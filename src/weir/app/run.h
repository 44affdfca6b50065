#pragma once

namespace weir::app {

// The whole program: parses the command line, runs one command, returns its exit code (0 success, 1 failure with one
// clear line on stderr, 2 usage).
int run(int argc, char** argv);

}  // namespace weir::app
