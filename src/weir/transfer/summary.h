#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "weir/base/clock.h"
#include "weir/base/result.h"
#include "weir/transfer/access_log.h"

namespace weir::transfer {

// Why a line was not imported, other than that it was imported already.
enum class Skip : uint8_t {
  blank,
  comment,
  too_long,    // above 64 KiB, or its record above what the journal takes
  unreadable,  // not a line of a known format
  too_early,   // before 1990
  too_late,    // more than 24 h ahead
  retention,   // older than the project keeps events
  // Left out because it was asked for (LineRules):
  asset,     // a part of a page
  redirect,  // answered 3xx
  error,     // answered 4xx or 5xx
  not_page,  // another request that is no page
};
inline constexpr size_t kSkips = 11;
std::string_view name_of(Skip skip);   // "too_long"
std::string_view describe(Skip skip);  // "longer than 64 KiB"

// What became of the lines of a chunk, a file or a whole import. Every line is counted once:
// lines = imported + already + the skipped.
struct ImportSummary {
  struct Example {
    uint64_t line = 0;  // within what is summed up, from 0 (in JSON from 1)
    std::string reason;
  };
  static constexpr size_t kExamplesMax = 5;

  uint64_t lines = 0;
  uint64_t imported = 0;
  uint64_t already = 0;  // imported before, by this file or by another that holds the same lines
  std::array<uint64_t, kSkips> skipped{};
  uint64_t pageviews = 0;                    // of the imported
  std::array<uint64_t, kLineForms> forms{};  // readable lines, by what they were
  UnixMillis first_time = 0;                 // of the imported and the already imported; 0: none
  UnixMillis last_time = 0;
  std::vector<Example> examples;  // the first unreadable lines

  void skip(Skip reason) { ++skipped[static_cast<size_t>(reason)]; }
  uint64_t skipped_lines() const;
  uint64_t readable_lines() const;
  void saw(UnixMillis time);
  void add_example(uint64_t line, std::string_view reason);
  // Adds what came of a later part, whose line 0 is this one's `line`.
  void add(const ImportSummary& part, uint64_t line);

  // One JSON object; docs/formats/imports.md names its members.
  std::string to_json() const;
  // Errors: kCorrupt (not what to_json() writes).
  static Result<ImportSummary> parse(std::string_view json);
};

}  // namespace weir::transfer
