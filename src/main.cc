#include <cstdio>
#include <exception>

#include "weir/app/run.h"

int main(int argc, char** argv) {
  try {
    return weir::app::run(argc, argv);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "weir: %s\n", e.what());
    return 1;
  }
}
