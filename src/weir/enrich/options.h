#pragma once

#include <string>

#include "weir/base/options.h"

namespace weir::enrich {

struct PackOptions {
  std::string directory;
};
template <class Visitor>
void describe(Visitor& option, PackOptions& o) {
  option("directory", o.directory, any_value,
         "Where the data packs that weir came with lie; empty: where weir was installed. Files of the same name in "
         "DATA/packs go first.");
}

}  // namespace weir::enrich
