#include "weir/transfer/log_follower.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "weir/base/logging.h"

namespace weir::transfer {

namespace {
// So many of a file's first bytes tell whether it is still the one that was read.
constexpr size_t kHeadBytes = 256;

Error failed(const std::string& path, int code) {
  ErrorCode what = code == ENOENT   ? ErrorCode::kNotFound
                   : code == EACCES ? ErrorCode::kForbidden
                                    : ErrorCode::kUnavailable;
  return {what, fmt::format("{}: {}", path, std::generic_category().message(code))};
}

// A file that may grow: its present end is no end.
class GrowingSource final : public LogSource {
 public:
  GrowingSource(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  ~GrowingSource() override { ::close(fd_); }

  Result<size_t> read(char* into, size_t size) override {
    auto got = read_at(position_, into, size);
    if (!got) return got;
    if (head_.size() < kHeadBytes && position_ == head_.size())
      head_.append(into, std::min(*got, kHeadBytes - head_.size()));
    position_ += *got;
    return got;
  }
  std::string_view packing() const override { return "plain"; }
  uint64_t read_bytes() const override { return position_; }
  uint64_t total_bytes() const override {
    struct stat info {};
    return ::fstat(fd_, &info) == 0 ? static_cast<uint64_t>(info.st_size) : 0;
  }

  // Whether what was read is not what stands there any more.
  Result<bool> was_cut() {
    struct stat info {};
    if (::fstat(fd_, &info) != 0) return failed(path_, errno);
    if (static_cast<uint64_t>(info.st_size) < position_) return true;
    if (static_cast<uint64_t>(info.st_size) == position_) return false;
    char now[kHeadBytes];
    auto got = read_at(0, now, head_.size());
    if (!got) return std::move(got).error();
    return std::string_view(now, *got) != head_;
  }
  const std::string& head() const { return head_; }
  bool is(const struct stat& other) const {
    struct stat info {};
    return ::fstat(fd_, &info) == 0 && info.st_dev == other.st_dev && info.st_ino == other.st_ino;
  }

 private:
  Result<size_t> read_at(uint64_t position, char* into, size_t size) const {
    while (true) {
      ssize_t n = ::pread(fd_, into, size, static_cast<off_t>(position));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return failed(path_, errno);
      return static_cast<size_t>(n);
    }
  }

  const int fd_;
  const std::string path_;
  uint64_t position_ = 0;
  std::string head_;
};
// Whether a log, unpacked, begins with these bytes.
bool begins_with(const std::string& path, std::string_view head) {
  auto source = open_log(path);
  std::string begin(head.size(), '\0');
  size_t held = 0;
  while (source && held < begin.size()) {
    auto got = (*source)->read(begin.data() + held, begin.size() - held);
    if (!got || *got == 0) break;
    held += *got;
  }
  return source && held == head.size() && begin == head;
}
}  // namespace

struct LogFollower::File {
  File(std::unique_ptr<GrowingSource> s, size_t chunk_bytes)
      : growing(s.get()), source(std::move(s)), log(*source, chunk_bytes, ChunkCutter::AtEnd::wait) {}
  File(std::unique_ptr<LogSource> s, size_t chunk_bytes) : source(std::move(s)), log(*source, chunk_bytes) {}

  GrowingSource* growing = nullptr;  // null: a copy, which is whole
  std::unique_ptr<LogSource> source;
  TracedLog log;
  bool has_name = true;
  Moment quiet_since{};  // once it has lost its name
};

LogFollower::LogFollower(std::string path, size_t chunk_bytes) : path_(std::move(path)), chunk_bytes_(chunk_bytes) {}
LogFollower::~LogFollower() = default;

Result<std::unique_ptr<LogFollower>> LogFollower::open(std::string path, size_t chunk_bytes) {
  // Says what is wrong with it, and how it is packed.
  auto source = open_log(path);
  if (!source) return std::move(source).error();
  if ((*source)->packing() != "plain")
    return Error{ErrorCode::kUnsupported,
                 fmt::format("{}: packed with {}: nobody writes on in it, so it cannot be followed", path,
                             (*source)->packing())};
  std::unique_ptr<LogFollower> follower(new LogFollower(std::move(path), chunk_bytes));
  auto file = follower->open_growing();
  if (!file) return std::move(file).error();
  follower->files_.push_back(*std::move(file));
  return follower;
}

Result<std::unique_ptr<LogFollower::File>> LogFollower::open_growing() const {
  int fd = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return failed(path_, errno);
  struct stat info {};
  bool plain = ::fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
  auto source = std::make_unique<GrowingSource>(fd, path_);
  if (!plain) return Error{ErrorCode::kBadInput, path_ + ": no plain file: it cannot be followed"};
  return std::make_unique<File>(std::move(source), chunk_bytes_);
}

Result<LogFollower::Piece> LogFollower::next(Moment now) {
  if (auto looked = look(now); !looked) return std::move(looked).error();
  for (size_t i = 0; i < files_.size();) {
    File& file = *files_[i];
    auto traced = file.log.next();
    bool nothing = traced && traced->chunk.count == 0;
    bool rested = nothing && !file.has_name && file.growing != nullptr && now - file.quiet_since >= kRest;
    if (rested) {
      file.log.finish();
      traced = file.log.next();
    }
    bool ended = rested || (file.growing == nullptr && (nothing || !traced));
    if (traced && traced->chunk.count > 0) {
      file.quiet_since = now;
      Piece piece{*std::move(traced), file.source->read_bytes(), file.source->total_bytes()};
      if (!ended) return piece;
      too_long_ += file.log.too_long();
      files_.erase(files_.begin() + static_cast<long>(i));
      return piece;
    }
    if (ended) {
      too_long_ += file.log.too_long();
      files_.erase(files_.begin() + static_cast<long>(i));
    } else {
      ++i;
    }
    if (!traced) return std::move(traced).error();
  }
  return Piece{};
}

// Sees whether the name means another file by now, or its file begins anew. Comes before reading: a file that was cut
// and has grown beyond what was read would be read on in the middle of a line.
Result<> LogFollower::look(Moment now) {
  File& file = *files_.back();
  auto cut = file.growing->was_cut();
  if (!cut) return std::move(cut).error();
  struct stat info {};
  if (::stat(path_.c_str(), &info) != 0) {
    if (errno == ENOENT) return {};  // between renaming and creating
    return failed(path_, errno);
  }
  bool renamed = !file.growing->is(info);
  if (!renamed && !*cut) return {};
  auto another = open_growing();
  if (!another) {
    if (another.error().code == ErrorCode::kNotFound) return {};
    return std::move(another).error();
  }
  if (*cut) {
    std::string head = file.growing->head();
    too_long_ += file.log.too_long();
    files_.pop_back();
    read_copy(head);
  } else {
    file.has_name = false;
    file.quiet_since = now;
  }
  files_.push_back(*std::move(another));
  return {};
}

void LogFollower::read_copy(const std::string& head) {
  size_t slash = path_.rfind('/');
  std::string directory = slash == std::string::npos ? "./" : path_.substr(0, slash + 1);
  std::string name = slash == std::string::npos ? path_ : path_.substr(slash + 1);
  DIR* entries = ::opendir(directory.c_str());
  while (const dirent* entry = entries == nullptr ? nullptr : ::readdir(entries)) {
    std::string other = entry->d_name;
    if (!other.starts_with(name) || other.size() == name.size()) continue;
    other.insert(0, directory);
    struct stat info {};
    if (::stat(other.c_str(), &info) != 0 || !S_ISREG(info.st_mode) || !begins_with(other, head)) continue;
    if (auto source = open_log(other)) {
      files_.push_back(std::make_unique<File>(*std::move(source), chunk_bytes_));
      ::closedir(entries);
      return;
    }
  }
  if (entries != nullptr) ::closedir(entries);
  log::warning("{} was emptied, and no copy of it lies beside it: lines written just before that were not seen", path_);
}

uint64_t LogFollower::too_long() const {
  uint64_t sum = too_long_;
  for (const auto& file : files_) sum += file->log.too_long();
  return sum;
}

}  // namespace weir::transfer
