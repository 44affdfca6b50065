#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "weir/base/bytes.h"
#include "weir/base/clock.h"
#include "weir/base/files.h"
#include "weir/base/metrics.h"
#include "weir/base/result.h"
#include "weir/journal/journal.h"
#include "weir/settings/secrets.h"
#include "weir/settings/settings.h"
#include "weir/transfer/access_log.h"
#include "weir/transfer/ledger.h"
#include "weir/transfer/line_event.h"
#include "weir/transfer/metrics.h"
#include "weir/transfer/repeats.h"
#include "weir/transfer/scan.h"
#include "weir/transfer/seed.h"
#include "weir/transfer/summary.h"

namespace weir::transfer {

struct ImporterOptions {
  std::string directory;                      // DATA/imports
  size_t ledger_bytes_max = 64 * MiB;         // held in memory, all projects together
  size_t record_bytes_max = 256 * KiB;        // a longer record's line is skipped; not above the journal's own limit
  size_t append_bytes = 1 * MiB;              // records handed to the journal at once
  std::chrono::milliseconds timeout{30'000};  // for the journal to take a chunk
};

// A run of whole lines of one log file.
struct ImportChunk {
  settings::Project project;
  LogFormat format = LogFormat::automatic;
  LineRules rules;
  std::string_view fields;          // of a W3C log, as its last #Fields line before these lines said; or empty
  std::string_view lines;           // each but the last ends in '\n'
  std::span<const Repeat> repeats;  // of the file's earlier chunks
};

// How far a seeded history is.
struct SeedProgress {
  uint64_t events = 0;  // of the whole
  uint64_t done = 0;    // looked at so far: each is durable now
  // Of these, since this server began with the history: written, and found there already.
  uint64_t seeded = 0;
  uint64_t already = 0;

  std::string to_json() const;  // {"events":..,"done":..,"seeded":..,"already":..}
  // Errors: kCorrupt (not what to_json() writes).
  static Result<SeedProgress> parse(std::string_view json);
};

// Imports chunks of access logs: each line becomes one event in the journal's `bulk` partition, unless it was imported
// before (ledger.h) or cannot be.
//
// Exactly once: a chunk may be sent again, in whole or together with other lines, after any failure; a kill at any
// instant neither loses a line that was answered nor lets one in twice. The journal is written first, the ledger
// behind it; recover() completes the ledger from the journal. Seeded histories go the same way, their events in place
// of lines.
//
// Confined to one thread; blocks on the journal and on files. Keeps all references.
class Importer {
 public:
  Importer(FileSystem& files, Clock& clock, journal::Journal& journal, settings::Secrets& secrets,
           metrics::Registry& registry, ImporterOptions options);
  ~Importer();

  // Reads what the journal took since the last checkpoint into the ledgers. Called at the start; import() calls it
  // again after a failure. Errors: kUnavailable, kCorrupt, kOverloaded.
  Result<> recover();

  // Success: every line counted as imported is durable.
  // Errors: kOverloaded (the journal is full or the volume is: try again), kUnavailable, kTimeout (likewise), kCorrupt
  // (the project's ledger). Lines that made it into the journal before the failure count as already imported then.
  Result<ImportSummary> import(const ImportChunk& chunk);

  // Writes the next events of a seeded history, some ten thousand, into the `bulk` partition: asked again and again
  // until done == events. Each event of a plan stands in a project once, whatever is asked again, by whom, and after
  // which failure. Where a history stands is kept in memory while it is asked for; later or after a failure it begins
  // at 0 again and passes quickly over what is there. Success: what counts as done is durable. Errors: kBadInput (the
  // plan, or a history that begins before what the project keeps), kOverloaded (the journal, or kSeedsMax others under
  // way), else as import().
  Result<SeedProgress> seed(const settings::Project& project, const SeedPlan& plan);
  static constexpr size_t kSeedsMax = 4;

  // Makes the ledgers durable up to now, so that recover() need not read from further back. Cheap when nothing is new.
  Result<> checkpoint();

  // A checkpoint, then gives back the memory that imports use: nobody is importing.
  Result<> rest();

  // From any thread: a recover() under way ends soon, with kUnavailable.
  void end_soon() { ending_.store(true); }

 private:
  struct Pending;
  struct Seal {
    std::string personal;
  };
  Result<Ledger*> ledger(ProjectId project);
  Result<> read_covered(journal::Offset& from);
  Result<> recover_records(const journal::Batch& batch);
  Result<> write_covered(journal::Offset next);
  // Drops all ledgers: after a failed write only the files and the journal say what holds.
  void doubt();
  template <class Fill>
  Result<std::string_view> sealed(const settings::Project& project, UnixMillis now, uint64_t person, Fill&& fill);
  Result<Ledger*> ready_ledger(ProjectId project);
  Result<> import_line(const ImportChunk& chunk, Ledger& ledger, const LogLine& line, std::string_view text,
                       uint32_t before, UnixMillis now, Pending& pending, ImportSummary& summary);
  Result<> seed_event(const settings::Project& project, Ledger& ledger, const SeededEvent& seeded, UnixMillis now,
                      Pending& pending, SeedProgress& progress);
  Result<> finish(Ledger& ledger, Pending& pending);
  void hold_memory(Ledger& ledger);

  FileSystem& files_;
  Clock& clock_;
  journal::Journal& journal_;
  settings::Secrets& secrets_;
  const ImporterOptions options_;
  Metrics metrics_;
  std::atomic<bool> ending_{false};

  std::unordered_map<ProjectId, std::unique_ptr<Ledger>> ledgers_;
  bool recovered_ = false;
  journal::Offset covered_ = 0;
  // Projects whose ledger could not be opened for recover(), and the first record that one of them may lack: nothing
  // from there on is covered until their ledgers are brought back.
  std::unordered_set<ProjectId> left_out_;
  journal::Offset left_out_from_ = 0;
  struct Seeding {
    ProjectId project;
    uint64_t key;  // of the plan
    SeedHistory history;
    SeedProgress progress;
  };
  std::vector<Seeding> seedings_;
  LineEvents events_;
  LineCounts counts_;
  // Sealed personal fields by the visitor they belong to, of one project and day of receipt. A visitor is of one day
  // too, so sealed texts do not tell that two days had the same person.
  std::unordered_map<uint64_t, Seal> seals_;
  ProjectId seals_project_{};
  int64_t seals_day_ = 0;
  std::string address_;
  std::string user_agent_;
};

}  // namespace weir::transfer
