#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "weir/base/clock.h"
#include "weir/base/metrics.h"
#include "weir/base/result.h"
#include "weir/enrich/bots.h"
#include "weir/enrich/pack_kinds.h"
#include "weir/enrich/place.h"
#include "weir/enrich/source.h"
#include "weir/enrich/user_agent_rules.h"

// The data that enrichment looks things up in: files which weir comes with, or which an operator puts into DATA/packs,
// and which may be replaced while weir runs.
namespace weir::enrich {

// Data with a date is called old from this age on.
inline constexpr std::chrono::hours kPackAgeMax{24 * 90};

enum class PackState : uint8_t { ok, missing, damaged };
std::string_view name_of(PackState state);

// How it stands with one pack.
struct PackReport {
  std::string_view name;     // "city-ipv4.mmdb"
  std::string_view purpose;  // "city by IPv4 address"
  bool shipped = true;       // weir comes with it; else nobody misses it
  PackState state = PackState::missing;
  std::string reason;    // when damaged: why, and what is used instead
  std::string path;      // of the file in use; empty: none
  bool own = false;      // the file in use is the operator's
  std::string contents;  // "206 rules, 6 of them with look-around"
  std::string source;    // of a shipped file: "isbot (npm)"
  std::string version;   // of its package
  std::string licence;
  std::string credit;   // how the work wants to be named
  UnixMillis date = 0;  // of the data; 0: unknown
  uint64_t bytes = 0;

  bool old(UnixMillis now) const { return date != 0 && now - date > std::chrono::milliseconds(kPackAgeMax).count(); }
};

// All packs at one moment. Immutable; what was found in it stays valid as long as it is held.
struct Packs {
  PackParts parts;
  Bots bots;
  Places places;
  std::shared_ptr<const UserAgentRules> user_agents;  // null: neither file is there
  std::shared_ptr<const Sources> sources;
  std::vector<PackReport> reports;  // of every kind, in the order of pack_kinds()
};

struct PackDirectories {
  std::string own;      // DATA/packs; files there go first
  std::string shipped;  // see find_shipped_packs(); empty: none
  std::string copies;   // on disk, for private copies of what is mapped into memory; empty: see PlaceFile::open
};

// Where the packs lie that weir came with: `configured` if not empty, else ../share/weir/packs beside the running
// program, else `packs` in one of the program's parent directories or in `build` of one of them; empty when nowhere.
std::string find_shipped_packs(const std::string& configured);

// Keeps the packs up to date with their files.
//
// A file is taken when it has looked the same twice (but at once the first time), so that one which is being copied
// into place is left alone. A file that cannot be used is reported and warned about once; what was loaded stays in use,
// and where nothing was, the shipped one takes the place of the operator's. Old snapshots go with their last reader.
class PackStore {
 public:
  explicit PackStore(PackDirectories directories, PlaceFile::Check check = PlaceFile::Check::sample);

  // Compares name, size, time and inode of all files with what is loaded, and loads what changed: microseconds without
  // a change, up to a second with all of them. True when there is a new snapshot. One caller at a time.
  bool refresh(UnixMillis now);

  // Null before the first refresh(). Thread-safe; never waits for a load.
  std::shared_ptr<const Packs> current() const;
  // The same, waiting up to `patience` for the first refresh(). Thread-safe.
  std::shared_ptr<const Packs> wait_current(std::chrono::milliseconds patience) const;

 private:
  struct Stamp {
    std::string path;
    uint64_t inode = 0;
    uint64_t bytes = 0;
    int64_t changed_ns = 0;
    bool operator==(const Stamp&) const = default;
  };
  struct Slot {
    const PackKind* kind = nullptr;
    Stamp loaded;      // what `parts_` holds; no path: nothing
    Stamp tried;       // the newest that was judged
    Stamp seen;        // at the last look
    Stamp complained;  // of which the log said why it cannot be used
    bool warned_of_age = false;
    PackReport report;
  };

  static Stamp stamp_of(const std::string& path);
  Stamp newest(const Slot& slot) const;
  bool take(Slot& slot, const Stamp& file);
  Result<> load(Slot& slot, const Stamp& file);
  void add_manifest(PackReport& report) const;
  void warn_of_age(UnixMillis now);
  void publish();
  void make_user_agents();
  void make_sources();

  const PackDirectories directories_;
  const PlaceFile::Check check_;
  bool first_ = true;
  std::vector<Slot> slots_;
  PackParts parts_;
  PackParts made_of_;  // what user_agents_ and sources_ were made of
  std::shared_ptr<const UserAgentRules> user_agents_;
  std::shared_ptr<const Sources> sources_;
  mutable std::mutex mutex_;  // guards current_
  mutable std::condition_variable published_;
  std::shared_ptr<const Packs> current_;
};

// weir_enrich_pack_ok and weir_enrich_pack_age_seconds, of those packs that weir comes with or an operator has.
void show_packs(const Packs& packs, UnixMillis now, metrics::Registry& registry);

}  // namespace weir::enrich
