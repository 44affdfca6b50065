#pragma once

#include <vector>

#include "weir/operate/doctor.h"

namespace CLI {
class App;
}

namespace weir::app {

struct Invocation;

// The command `packs`, which works on DATA/packs, with or without a running server. Keeps `invocation` by reference.
void add_pack_commands(CLI::App& cli, Invocation& invocation);

// What the doctor says about the packs.
std::vector<operate::Finding> examine_packs(const Invocation& invocation);

}  // namespace weir::app
