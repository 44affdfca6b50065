#pragma once

#include <cstdint>
#include <string>

namespace weir::store::engine {

// Most rows and bytes that a person's statement answers.
inline constexpr uint64_t kUserRowsMax = 1'000'000;
inline constexpr uint64_t kUserBytesMax = 512ull << 20;

// What one start of the private ClickHouse is configured with.
struct Config {
  std::string data_directory;
  uint16_t port = 0;
  std::string token;            // requests must carry it as X-Weir-Token
  std::string proof;            // answers carry it as X-Weir-Proof
  std::string reader_password;  // of the readers below
  uint64_t memory_bytes = 0;    // most memory of the whole process
  unsigned cores = 1;
};

// The users that run persons' statements. Reader 0..kReaders-1 sees the projects in the table reader_table(i) of the
// database weir_data, enforced by row policies; the reader "all" sees every project.
inline constexpr int kReaders = 16;
std::string reader_name(int reader);   // "weir_reader_3"
std::string reader_table(int reader);  // "reader_3"
inline constexpr char kReaderOfAll[] = "weir_reader_all";

// The path that answers without a query: for proving and for finding out whether it lives.
inline constexpr char kPingPath[] = "/weir-ping";

// config.xml and users.xml. The first names the second as `users_path`.
std::string config_xml(const Config& config, const std::string& users_path);
std::string users_xml(const Config& config);

// Memory this process may have: the machine's, or its control group's limit where that is lower.
uint64_t machine_memory_bytes();
// The private ClickHouse's share of it when the operator says nothing.
uint64_t default_memory_bytes(uint64_t machine_bytes);

}  // namespace weir::store::engine
