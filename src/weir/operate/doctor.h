#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace weir::operate {

enum class Verdict : uint8_t { good, warning, bad };

// One thing that was looked at, and what to do when it is not as it should be.
struct Finding {
  Verdict verdict;
  std::string what;  // "disk: 80 GiB free of 252 GiB"
  std::string advice;
};

// What the doctor is told about this installation.
struct Patient {
  std::string data_directory;
  std::vector<std::pair<std::string, std::string>> listeners;  // option name, HOST:PORT
  std::string engine_library;                                  // path of libchdb.so; empty: none was found
  std::string store_url;                                       // empty: the private ClickHouse
  bool server_runs = false;                                    // then its ports are taken, as they should be
};

// Looks at disk, fsync, clock, memory, descriptors, ports, confinement and the engine. Takes about a second; writes and
// removes one small file in the data directory (or beside it, before it exists).
std::vector<Finding> examine(const Patient& patient);

}  // namespace weir::operate
