#include "weir/base/testing/fake_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <random>
#include <set>
#include <utility>

#include "weir/base/check.h"

namespace weir::testing {

namespace {
constexpr uint64_t kSector = 512;

// Whether a path's directory is this one, as parent_directory() says it.
bool is_in(std::string_view path, std::string_view directory) {
  const size_t slash = path.find_last_of('/');
  if (slash == std::string_view::npos) return directory == ".";
  return path.substr(0, std::max<size_t>(slash, 1)) == directory;
}

Error not_found(const std::string& path) { return {ErrorCode::kNotFound, fmt::format("open {}: no such file", path)}; }
Error dead(const std::string& path) { return {ErrorCode::kUnavailable, fmt::format("{}: the process is dead", path)}; }
}  // namespace

// A change of a file's content that has not been synced.
struct FakeFiles::Change {
  enum class Kind : uint8_t { write, zero, truncate } kind;
  uint64_t at;
  uint64_t size;
  std::string bytes;
  bool lost = false;  // its sync failed: clean in the cache, absent on the disk

  void apply(std::string& content) const { apply(content, 0, size); }
  // Only [from, upto) of it.
  void apply(std::string& content, uint64_t from, uint64_t upto) const {
    if (kind == Kind::truncate) {
      content.resize(at, '\0');
      return;
    }
    if (from >= upto) return;
    const uint64_t old = std::min<uint64_t>(content.size(), at + upto);
    if (old < at + upto) content.resize(at + upto, '\0');
    if (kind == Kind::write)
      content.replace(at + from, upto - from, bytes, from, upto - from);
    else if (at + from < old)
      std::fill(content.begin() + static_cast<ptrdiff_t>(at + from), content.begin() + static_cast<ptrdiff_t>(old),
                '\0');
  }
};

struct FakeFiles::Node {
  std::string current;
  std::string durable;
  std::vector<Change> pending;
  uint64_t counted = 0;  // by which count_used()
};

struct FakeFiles::State {
  mutable std::mutex mutex;  // guards all below
  std::map<std::string, std::shared_ptr<Node>> names;
  std::map<std::string, std::shared_ptr<Node>> durable_names;
  // Changes of names that are not synced: path and what it now means (null: nothing).
  struct NameChange {
    std::string path;
    std::shared_ptr<Node> node;
    std::string also;  // a rename is two names changed at once
  };
  std::vector<NameChange> pending_names;
  std::set<std::string> directories{"", ".", "/"};
  std::set<std::string> locks;
  uint64_t generation = 0;
  uint64_t capacity = UINT64_MAX;
  uint64_t used = 0;
  uint64_t counts = 0;  // how often count_used() counted
  Hook hook;
  struct Fault {
    Call call;
    uint64_t left;
    ErrorCode code;
    std::string path_part;
  };
  std::vector<Fault> faults;
  uint64_t changes = 0;
  uint64_t die_in = 0;
  bool dead = false;
  bool lying = false;

  // Each file once, whatever names it has.
  uint64_t count_used() {
    uint64_t bytes = 0;
    ++counts;
    for (const auto& [path, node] : names)
      if (std::exchange(node->counted, counts) != counts) bytes += node->current.size();
    return bytes;
  }
  void sync_names(const std::string& directory) {
    std::vector<NameChange> rest;
    for (NameChange& change : pending_names) {
      if (!is_in(change.path, directory) && (change.also.empty() || !is_in(change.also, directory))) {
        rest.push_back(std::move(change));
        continue;
      }
      if (!change.also.empty()) durable_names.erase(change.also);
      if (change.node)
        durable_names[change.path] = change.node;
      else
        durable_names.erase(change.path);
    }
    pending_names = std::move(rest);
  }
  void drop_processes() {
    ++generation;
    locks.clear();
    hook = nullptr;
    faults.clear();
    die_in = 0;
    dead = false;
  }
};

std::string_view FakeFiles::name_of(Call call) {
  constexpr std::array<std::string_view, kCalls> kNames = {
      "open",  "list",      "make_directory", "rename",   "remove", "sync_directory", "read",
      "write", "sync_data", "sync",           "truncate", "zero",   "size",           "free_bytes"};
  return kNames[static_cast<size_t>(call)];
}

// One open file of one process life.
class FakeFiles::OpenFile final : public File {
 public:
  OpenFile(FakeFiles& files, std::shared_ptr<State> state, std::shared_ptr<Node> node, std::string path)
      : files_(files), state_(std::move(state)), node_(std::move(node)), path_(std::move(path)) {
    generation_ = state_->generation;
  }
  const std::string& path() const override { return path_; }

  Result<size_t> read_at(uint64_t offset, char* into, size_t size) override {
    if (auto error = before(Call::read, false)) return *error;
    std::lock_guard lock(state_->mutex);
    if (gone()) return dead(path_);
    if (offset >= node_->current.size()) return size_t{0};
    return node_->current.copy(into, size, offset);
  }

  Result<> write_at(uint64_t offset, std::span<const iovec> pieces) override {
    size_t size = 0;
    for (const iovec& piece : pieces) size += piece.iov_len;
    std::string bytes;
    bytes.reserve(size);
    for (const iovec& piece : pieces) bytes.append(static_cast<const char*>(piece.iov_base), piece.iov_len);
    auto error = before(Call::write, true);
    std::lock_guard lock(state_->mutex);
    if (gone()) return dead(path_);
    if (error) {
      if (!state_->dead) change({Change::Kind::write, offset, bytes.size() / 2, bytes.substr(0, bytes.size() / 2)});
      return *error;
    }
    return grow_and_change({Change::Kind::write, offset, bytes.size(), std::move(bytes)});
  }

  Result<> zero(uint64_t offset, uint64_t size) override {
    auto error = before(Call::zero, true);
    std::lock_guard lock(state_->mutex);
    if (gone()) return dead(path_);
    if (error) {
      if (!state_->dead) change({Change::Kind::zero, offset, size / 2, {}});
      return *error;
    }
    return grow_and_change({Change::Kind::zero, offset, size, {}});
  }

  Result<> sync_data() override { return sync_as(Call::sync_data); }
  Result<> sync() override { return sync_as(Call::sync); }

  Result<uint64_t> size() override {
    if (auto error = before(Call::size, false)) return *error;
    std::lock_guard lock(state_->mutex);
    if (gone()) return dead(path_);
    return static_cast<uint64_t>(node_->current.size());
  }

  Result<> truncate(uint64_t size) override {
    if (auto error = before(Call::truncate, true)) return *error;
    std::lock_guard lock(state_->mutex);
    if (gone()) return dead(path_);
    change({Change::Kind::truncate, size, 0, {}});
    return {};
  }

 private:
  std::optional<Error> before(Call call, bool changing) { return files_.before(call, path_, changing); }
  bool gone() const { return generation_ != state_->generation || state_->dead; }

  void change(Change change) {
    uint64_t size = node_->current.size();
    change.apply(node_->current);
    state_->used += node_->current.size() - size;
    node_->pending.push_back(std::move(change));
  }

  // As much of it as there is room for.
  Result<> grow_and_change(Change wanted) {
    uint64_t end = wanted.at + wanted.size;
    uint64_t growth = end > node_->current.size() ? end - node_->current.size() : 0;
    uint64_t room = state_->capacity > state_->used ? state_->capacity - state_->used : 0;
    if (growth <= room) {
      change(std::move(wanted));
      return {};
    }
    uint64_t fits = node_->current.size() + room > wanted.at ? node_->current.size() + room - wanted.at : 0;
    wanted.size = std::min(wanted.size, fits);
    if (wanted.kind == Change::Kind::write) wanted.bytes.resize(wanted.size);
    if (wanted.size > 0) change(std::move(wanted));
    return Error{ErrorCode::kOverloaded, fmt::format("write {}: no space left", path_)};
  }

  Result<> sync_as(Call call) {
    auto error = before(call, true);
    std::lock_guard lock(state_->mutex);
    if (gone()) return dead(path_);
    if (error) {
      for (Change& change : node_->pending) change.lost = true;
      return *error;
    }
    if (state_->lying) return {};
    for (const Change& change : node_->pending)
      if (!change.lost) change.apply(node_->durable);
    std::erase_if(node_->pending, [](const Change& change) { return !change.lost; });
    return {};
  }

  FakeFiles& files_;
  std::shared_ptr<State> state_;
  std::shared_ptr<Node> node_;
  std::string path_;
  uint64_t generation_ = 0;
};

class FakeFiles::HeldLock final : public FileLock {
 public:
  HeldLock(std::shared_ptr<State> state, std::string path) : state_(std::move(state)), path_(std::move(path)) {
    generation_ = state_->generation;
  }
  ~HeldLock() override {
    std::lock_guard lock(state_->mutex);
    if (generation_ == state_->generation) state_->locks.erase(path_);
  }

 private:
  std::shared_ptr<State> state_;
  std::string path_;
  uint64_t generation_;
};

FakeFiles::FakeFiles() : state_(std::make_shared<State>()) {}
FakeFiles::~FakeFiles() = default;

std::optional<Error> FakeFiles::before(Call call, const std::string& path, bool changing) {
  Hook hook;
  {
    std::lock_guard lock(state_->mutex);
    if (state_->dead) return dead(path);
    if (changing) {
      ++state_->changes;
      if (state_->die_in > 0 && --state_->die_in == 0) {
        state_->dead = true;
        return dead(path);
      }
    }
    for (State::Fault& fault : state_->faults) {
      if (fault.call != call || fault.left == 0 || path.find(fault.path_part) == std::string::npos) continue;
      if (--fault.left > 0) continue;
      return Error{fault.code, fmt::format("{} {}: injected", name_of(call), path)};
    }
    hook = state_->hook;
  }
  if (hook) return hook(call, path);
  return std::nullopt;
}

Result<std::unique_ptr<File>> FakeFiles::open(const std::string& path, Mode mode) {
  if (auto error = before(Call::open, path, mode == Mode::create)) return *error;
  std::lock_guard lock(state_->mutex);
  auto at = state_->names.find(path);
  if (mode == Mode::create) {
    if (at != state_->names.end()) return Error{ErrorCode::kConflict, fmt::format("open {}: exists", path)};
    if (!state_->directories.contains(parent_directory(path))) return not_found(path);
    at = state_->names.emplace(path, std::make_shared<Node>()).first;
    state_->pending_names.push_back({path, at->second, ""});
  }
  if (at == state_->names.end()) return not_found(path);
  return std::unique_ptr<File>(std::make_unique<OpenFile>(*this, state_, at->second, path));
}

bool FakeFiles::exists(const std::string& path) {
  std::lock_guard lock(state_->mutex);
  return state_->names.contains(path) || state_->directories.contains(path);
}

Result<std::vector<std::string>> FakeFiles::list(const std::string& directory) {
  if (auto error = before(Call::list, directory, false)) return *error;
  std::lock_guard lock(state_->mutex);
  if (!state_->directories.contains(directory)) return not_found(directory);
  std::vector<std::string> names;
  for (const auto& [path, node] : state_->names)
    if (is_in(path, directory)) names.push_back(path.substr(path.find_last_of('/') + 1));
  for (const std::string& path : state_->directories)
    if (!path.empty() && path != "." && path != "/" && is_in(path, directory))
      names.push_back(path.substr(path.find_last_of('/') + 1));
  std::sort(names.begin(), names.end());
  return names;
}

Result<> FakeFiles::make_directory(const std::string& path) {
  if (auto error = before(Call::make_directory, path, true)) return *error;
  std::lock_guard lock(state_->mutex);
  state_->directories.insert(path);  // with the sync of its parent, so durable at once
  if (!state_->lying) state_->sync_names(path);
  return {};
}

Result<> FakeFiles::rename(const std::string& from, const std::string& to) {
  if (auto error = before(Call::rename, from, true)) return *error;
  std::lock_guard lock(state_->mutex);
  auto at = state_->names.find(from);
  if (at == state_->names.end()) return not_found(from);
  auto node = at->second;
  state_->names.erase(at);
  state_->names[to] = node;
  state_->used = state_->count_used();
  state_->pending_names.push_back({to, node, from});
  return {};
}

Result<> FakeFiles::remove(const std::string& path) {
  if (auto error = before(Call::remove, path, true)) return *error;
  std::lock_guard lock(state_->mutex);
  if (state_->names.erase(path) > 0) {
    state_->pending_names.push_back({path, nullptr, ""});
    state_->used = state_->count_used();
  }
  return {};
}

Result<> FakeFiles::sync_directory(const std::string& path) {
  if (auto error = before(Call::sync_directory, path, true)) return *error;
  std::lock_guard lock(state_->mutex);
  if (!state_->lying) state_->sync_names(path);
  return {};
}

Result<uint64_t> FakeFiles::free_bytes(const std::string& path) {
  if (auto error = before(Call::free_bytes, path, false)) return *error;
  std::lock_guard lock(state_->mutex);
  return state_->capacity > state_->used ? state_->capacity - state_->used : 0;
}

Result<uint64_t> FakeFiles::total_bytes(const std::string&) {
  std::lock_guard lock(state_->mutex);
  return state_->capacity;
}

Result<std::unique_ptr<FileLock>> FakeFiles::lock(const std::string& path) {
  std::lock_guard lock(state_->mutex);
  if (!state_->locks.insert(path).second)
    return Error{ErrorCode::kConflict, fmt::format("{} is held by process 1", path)};
  return std::unique_ptr<FileLock>(std::make_unique<HeldLock>(state_, path));
}

void FakeFiles::on_call(Hook hook) {
  std::lock_guard lock(state_->mutex);
  state_->hook = std::move(hook);
}

void FakeFiles::fail(Call call, uint64_t nth, ErrorCode code, std::string path_part) {
  std::lock_guard lock(state_->mutex);
  state_->faults.push_back({call, nth, code, std::move(path_part)});
}

void FakeFiles::die_at(uint64_t nth) {
  std::lock_guard lock(state_->mutex);
  state_->die_in = nth;
  if (nth == 0) state_->dead = false;
}

void FakeFiles::die_now() {
  std::lock_guard lock(state_->mutex);
  state_->dead = true;
}

void FakeFiles::set_lying(bool lying) {
  std::lock_guard lock(state_->mutex);
  state_->lying = lying;
}

bool FakeFiles::died() const {
  std::lock_guard lock(state_->mutex);
  return state_->dead;
}

uint64_t FakeFiles::changes() const {
  std::lock_guard lock(state_->mutex);
  return state_->changes;
}

void FakeFiles::set_capacity(uint64_t bytes) {
  std::lock_guard lock(state_->mutex);
  state_->capacity = bytes;
}

void FakeFiles::kill() {
  std::lock_guard lock(state_->mutex);
  state_->drop_processes();
}

void FakeFiles::power_cut(Cut cut, uint64_t seed) {
  std::lock_guard lock(state_->mutex);
  state_->drop_processes();
  std::mt19937_64 random(seed);
  // Names first, so that files which lose theirs are gone.
  size_t keep = cut == Cut::all ? state_->pending_names.size() : 0;
  if (cut == Cut::prefix && !state_->pending_names.empty()) keep = random() % (state_->pending_names.size() + 1);
  std::map<std::string, std::shared_ptr<Node>> names = state_->durable_names;
  for (size_t i = 0; i < state_->pending_names.size(); ++i) {
    const State::NameChange& change = state_->pending_names[i];
    if (cut == Cut::some ? random() % 2 == 0 : i >= keep) continue;
    if (!change.also.empty()) names.erase(change.also);
    if (change.node)
      names[change.path] = change.node;
    else
      names.erase(change.path);
  }
  state_->pending_names.clear();
  std::set<Node*> seen;
  for (const auto& [path, node] : names) {
    if (!seen.insert(node.get()).second) continue;
    size_t stop = random() % (node->pending.size() + 1);
    for (size_t i = 0; i < node->pending.size(); ++i) {
      const Change& change = node->pending[i];
      if (change.lost) continue;
      if (cut == Cut::all || (cut == Cut::prefix && i < stop)) {
        change.apply(node->durable);
      } else if (cut == Cut::prefix && i == stop && change.kind != Change::Kind::truncate) {
        uint64_t torn = (change.at + random() % (change.size + 1)) / kSector * kSector;
        change.apply(node->durable, 0, torn > change.at ? torn - change.at : 0);
      } else if (cut == Cut::some) {
        if (change.kind == Change::Kind::truncate) {
          if (random() % 2 == 0) change.apply(node->durable);
          continue;
        }
        for (uint64_t from = 0; from < change.size;) {
          uint64_t upto = std::min(change.size, (change.at + from) / kSector * kSector + kSector - change.at);
          if (random() % 2 == 0) change.apply(node->durable, from, upto);
          from = upto;
        }
      }
    }
    if (node->pending.empty()) continue;  // the two are the same
    node->pending.clear();
    node->current = node->durable;
  }
  state_->names = names;
  state_->durable_names = std::move(names);
  state_->used = state_->count_used();
}

Result<std::string> FakeFiles::content(const std::string& path) {
  std::lock_guard lock(state_->mutex);
  auto at = state_->names.find(path);
  if (at == state_->names.end()) return not_found(path);
  return at->second->current;
}

void FakeFiles::put(const std::string& path, std::string content) {
  std::lock_guard lock(state_->mutex);
  auto& node = state_->names[path];
  if (!node) node = std::make_shared<Node>();
  node->pending.clear();
  node->durable = content;
  node->current = std::move(content);
  state_->durable_names[path] = node;
  state_->used = state_->count_used();
}

void FakeFiles::flip(const std::string& path, uint64_t position, uint8_t bits) {
  std::lock_guard lock(state_->mutex);
  auto at = state_->names.find(path);
  WEIR_CHECK(at != state_->names.end() && position < at->second->current.size());
  for (std::string* bytes : {&at->second->current, &at->second->durable})
    if (position < bytes->size()) (*bytes)[position] = static_cast<char>((*bytes)[position] ^ bits);
}

void FakeFiles::move(const std::string& from, const std::string& to) {
  std::lock_guard lock(state_->mutex);
  auto node = state_->names.extract(from);
  WEIR_CHECK(!node.empty());
  state_->durable_names.erase(from);
  state_->durable_names[to] = node.mapped();
  state_->names[to] = node.mapped();
}

void FakeFiles::erase(const std::string& path) {
  std::lock_guard lock(state_->mutex);
  state_->names.erase(path);
  state_->durable_names.erase(path);
  state_->used = state_->count_used();
}

std::vector<std::string> FakeFiles::paths() const {
  std::lock_guard lock(state_->mutex);
  std::vector<std::string> paths;
  for (const auto& [path, node] : state_->names) paths.push_back(path);
  return paths;
}

uint64_t FakeFiles::used_bytes() const {
  std::lock_guard lock(state_->mutex);
  return state_->used;
}

std::unique_ptr<FakeFiles> FakeFiles::clone() const {
  auto copy = std::make_unique<FakeFiles>();
  std::lock_guard lock(state_->mutex);
  State& to = *copy->state_;
  std::map<const Node*, std::shared_ptr<Node>> copies;
  auto copied = [&](const std::shared_ptr<Node>& node) {
    if (!node) return std::shared_ptr<Node>();
    auto& slot = copies[node.get()];
    if (!slot) slot = std::make_shared<Node>(*node);
    return slot;
  };
  for (const auto& [path, node] : state_->names) to.names[path] = copied(node);
  for (const auto& [path, node] : state_->durable_names) to.durable_names[path] = copied(node);
  for (const auto& change : state_->pending_names)
    to.pending_names.push_back({change.path, copied(change.node), change.also});
  to.directories = state_->directories;
  to.capacity = state_->capacity;
  to.used = state_->used;
  return copy;
}

}  // namespace weir::testing
