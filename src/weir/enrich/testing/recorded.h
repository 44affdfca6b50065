#pragma once

#include <string>
#include <vector>

// Recorded data, for tests and benchmarks.
namespace weir::enrich::testing {

// A file below $WEIR_TEST_DATA/data; empty when there is none: the test skips then.
std::string recorded(const std::string& name);
std::string content(const std::string& path);
// Of a file packed with xz.
std::string unpacked(const std::string& path);
// The user agents of isbot's own fixtures: every "  - TEXT" of a YAML file, some of them in quotes.
std::vector<std::string> listed_in_yaml(const std::string& path);

// The pack public_suffix_list.dat that weir comes with.
const std::string& suffix_list();

}  // namespace weir::enrich::testing
