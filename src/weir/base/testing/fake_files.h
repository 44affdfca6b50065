#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "weir/base/files.h"

namespace weir::testing {

// A file system in memory that behaves as badly as real ones may. Thread-safe. For tests.
//
// Each file has the content its readers see and the content that has reached the disk; a sync makes them equal. A
// directory's names become durable by sync_directory(). power_cut() keeps what was synced and of the rest what the
// chosen Cut says; kill() keeps all. Both leave open files dead: every later call on them fails.
//
// A failed sync behaves as Linux does: the pages count as clean from then on, readers still see them, the next sync
// reports success, and they never reach the disk unless they are written again.
class FakeFiles final : public FileSystem {
 public:
  enum class Call : uint8_t {
    open,
    list,
    make_directory,
    rename,
    remove,
    sync_directory,
    read,
    write,
    sync_data,
    sync,
    truncate,
    zero,
    size,
    free_bytes,
  };
  static constexpr size_t kCalls = 14;
  static std::string_view name_of(Call call);

  // What a power cut leaves of the writes, truncations and name changes that were not synced.
  enum class Cut : uint8_t {
    nothing,  // none of them
    all,      // all: the disk was quick
    prefix,   // those up to some point, in order; the one there torn at 512 bytes
    some,     // any, in any order; writes torn at 512 bytes
  };

  FakeFiles();
  ~FakeFiles() override;

  Result<std::unique_ptr<File>> open(const std::string& path, Mode mode) override;
  bool exists(const std::string& path) override;
  Result<std::vector<std::string>> list(const std::string& directory) override;
  Result<> make_directory(const std::string& path) override;
  Result<> rename(const std::string& from, const std::string& to) override;
  Result<> remove(const std::string& path) override;
  Result<> sync_directory(const std::string& path) override;
  Result<uint64_t> free_bytes(const std::string& path) override;
  Result<uint64_t> total_bytes(const std::string& path) override;
  Result<std::unique_ptr<FileLock>> lock(const std::string& path) override;

  // --- faults

  // Called before every call, outside all locks: may wait, count, or answer an error that the call then fails with.
  using Hook = std::function<std::optional<Error>(Call call, const std::string& path)>;
  void on_call(Hook hook);
  // The `nth` call of this kind from now on (1: the next) fails with `code`, once; only calls on paths that contain
  // `path_part` count. A failing write has written half.
  void fail(Call call, uint64_t nth, ErrorCode code, std::string path_part = {});
  // From the `nth` changing call on (1: the next), nothing has any effect and everything fails: the process is dead.
  // 0 takes it back.
  void die_at(uint64_t nth);
  void die_now();
  bool died() const;
  // While it lies, every sync is answered well and does nothing.
  void set_lying(bool lying);
  // Changing calls so far (write, zero, truncate, sync*, rename, remove, make_directory, open with create).
  uint64_t changes() const;
  // Bytes on the volume; writes beyond fail with kOverloaded after filling what is left. Unlimited at first.
  void set_capacity(uint64_t bytes);
  // The end of the process: all is kept that was written. Open files die; locks are released.
  void kill();
  // The end of the machine. `seed` decides what Cut::prefix and Cut::some keep.
  void power_cut(Cut cut, uint64_t seed);

  // --- looking and tampering, on disk and in cache alike

  Result<std::string> content(const std::string& path);
  // Creates the file or replaces its content.
  void put(const std::string& path, std::string content);
  void flip(const std::string& path, uint64_t position, uint8_t bits = 1);
  void move(const std::string& from, const std::string& to);
  void erase(const std::string& path);
  // All paths of files, sorted.
  std::vector<std::string> paths() const;
  uint64_t used_bytes() const;
  // A copy of the present state, without hooks, faults or locks.
  std::unique_ptr<FakeFiles> clone() const;

 private:
  struct Change;
  struct Node;
  struct State;
  class OpenFile;
  class HeldLock;

  std::optional<Error> before(Call call, const std::string& path, bool changing);

  std::shared_ptr<State> state_;
};

}  // namespace weir::testing
