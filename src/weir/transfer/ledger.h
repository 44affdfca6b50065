#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "weir/base/clock.h"
#include "weir/base/files.h"
#include "weir/base/ids.h"
#include "weir/base/result.h"
#include "weir/transfer/line_set.h"

namespace weir::transfer {

// What makes a line of a log the same line when it comes again: the UTC hour of its time and a keyed hash of its bytes
// and of its ordinal among equal lines.
struct LineIdentity {
  int64_t hour = 0;  // hours since 1970-01-01
  uint64_t hash = 0;

  // As the record's `id`: the day and the hash in hexadecimal, "040c79f86d081884c7d65". Equal for equal lines only.
  std::string id() const;
  // Reads what id() wrote, for an event of that time. False when it is none.
  static bool parse(std::string_view id, UnixMillis time, LineIdentity& out);
};

constexpr int64_t hour_of(UnixMillis t) {
  constexpr int64_t kHour = 3'600'000;
  return t >= 0 ? t / kHour : -((-t + kHour - 1) / kHour);
}

// The keys of one project's imports, made with its ledger and never changed: with them, and only with them, equal
// lines and equal visitors are recognised again. They also keep an id from telling whose address it came from.
class ImportSalt {
 public:
  static constexpr size_t kBytes = 32;
  ImportSalt() = default;
  explicit ImportSalt(std::string_view bytes);
  // The hash of a line's bytes; the ordinal is mixed in by with_ordinal().
  uint64_t line(std::string_view bytes) const;
  // The hash of the `ordinal`th equal line; the 0th is the line's own.
  uint64_t with_ordinal(uint64_t line_hash, uint32_t ordinal) const;
  // The cookieless visitor of an address and user agent on a UTC day. Never 0.
  uint64_t visitor(int64_t day, std::string_view client, std::string_view user_agent);

 private:
  std::array<unsigned char, kBytes> key_{};
  std::string scratch_;
};

// Which lines of one project's logs were imported already: DATA/imports/<project>/, a file a UTC day with the hashes
// of its hours, in the form of docs/formats/imports.md.
//
// Lines are claimed before they go into the journal and written behind it; a crash between the two loses what was
// written to these files since the last sync(), and whoever opens the ledger then reads the journal from there on and
// claims and writes what it finds. Memory: the hours last used, see forget().
//
// Confined to one thread. Keeps `files` by reference.
class Ledger {
 public:
  // Opens or creates the ledger and its salt.
  // Errors: kCorrupt (lines but no salt, or a damaged one), kUnavailable, kOverloaded.
  static Result<std::unique_ptr<Ledger>> open(FileSystem& files, std::string directory);

  ImportSalt& salt() { return salt_; }
  // True when the salt was made by this open().
  bool is_new() const { return is_new_; }

  // True when the line was not there; from now on it is, in memory. Reads the hour's part of the day's file first.
  // Errors: kUnavailable.
  Result<bool> claim(const LineIdentity& line);
  // Puts claimed lines that are in the journal now into the files (not synced).
  Result<> write(std::span<const LineIdentity> lines);
  // Takes claimed lines back that did not reach the journal. They must not have been written.
  void unclaim(std::span<const LineIdentity> lines);
  // Makes all writes so far durable. Errors: kUnavailable, kOverloaded; what is not durable stays marked.
  Result<> sync();
  // Frees the hours longest unused until at most `bytes` are held; the one used last always stays.
  void forget(size_t bytes);

  size_t memory_bytes() const { return memory_bytes_; }
  // Bytes of damaged or torn files cut off since open().
  uint64_t cut_bytes() const { return cut_bytes_; }

 private:
  struct Hour {
    LineSet lines;
    uint64_t used = 0;  // when, by clock_
  };
  struct Day {
    std::unique_ptr<File> file;  // open while the day is in days_
    uint64_t size = 0;
    bool dirty = false;
  };

  Ledger(FileSystem& files, std::string directory) : files_(files), directory_(std::move(directory)) {}
  std::string path_of(int64_t day) const;
  // The day's file, opened and checked; created when asked for, else null when there is none.
  Result<Day*> day(int64_t day, bool create);
  Result<> check(Day& day);
  Result<Hour*> hour(int64_t hour);
  Result<> read_hour(Day& day, unsigned hour_of_day, LineSet& lines);
  Result<> close_old_days();
  void drop(std::map<int64_t, Hour>::iterator hour);

  FileSystem& files_;
  const std::string directory_;
  ImportSalt salt_;
  bool is_new_ = false;
  std::map<int64_t, Hour> hours_;
  std::map<int64_t, Day> days_;
  int64_t last_hour_number_ = 0;
  Hour* last_hour_ = nullptr;
  uint64_t clock_ = 0;
  size_t memory_bytes_ = 0;
  uint64_t cut_bytes_ = 0;
};

}  // namespace weir::transfer
