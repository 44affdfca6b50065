#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "weir/transfer/summary.h"

// What `weir import` says to people and scripts.
namespace weir::transfer {

struct FileReport {
  std::string file;     // as named on the command line; "-" is standard input
  std::string packing;  // "gzip"...; empty: it could not be opened
  std::string error;    // why it was not read to its end, or empty
  ImportSummary summary;
};

struct ImportReport {
  std::string project;
  bool dry_run = false;
  std::chrono::milliseconds took{0};
  std::vector<FileReport> files;
  std::string error;  // why the whole stopped, or empty

  ImportSummary total() const;
  // Nothing went wrong: no error, and not every line of a file unreadable.
  bool is_success() const;
  std::string to_text() const;
  std::string to_json() const;
};

// Which of the formats the lines were: "combined", "combined and common", "none".
std::string format_of(const ImportSummary& summary);

// 1234567 as "1,234,567".
std::string grouped(uint64_t number);
// "1.2 GB"
std::string bytes_text(uint64_t bytes);

// One line on how far it is. `read`, `size`: bytes of the file itself; size 0: unknown.
std::string progress_text(std::string_view file, uint64_t lines, uint64_t read, uint64_t size,
                          std::chrono::milliseconds took);

}  // namespace weir::transfer
