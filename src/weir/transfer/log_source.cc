#include "weir/transfer/log_source.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <lzma.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "weir/base/bytes.h"
#include "weir/transfer/access_log.h"

namespace weir::transfer {

namespace {
constexpr size_t kInputBytes = 256 * KiB;
constexpr uint64_t kXzMemoryBytesMax = 256 * MiB;
constexpr int kZstdWindowLogMax = 27;  // 128 MiB

// The file itself, as it is.
class RawFile {
 public:
  RawFile(int fd, std::string name, uint64_t total) : fd_(fd), name_(std::move(name)), total_(total) {}
  RawFile(RawFile&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)),
        name_(std::move(other.name_)),
        total_(other.total_),
        read_(other.read_),
        ahead_(std::move(other.ahead_)) {}
  RawFile& operator=(RawFile&&) = delete;
  ~RawFile() {
    if (fd_ > STDIN_FILENO) ::close(fd_);
  }

  Result<size_t> read(char* into, size_t size) {
    if (!ahead_.empty()) {
      size_t take = std::min(size, ahead_.size());
      std::memcpy(into, ahead_.data(), take);
      ahead_.erase(0, take);
      return take;
    }
    while (true) {
      ssize_t n = ::read(fd_, into, size);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0)
        return Error{ErrorCode::kUnavailable, fmt::format("{}: {}", name_, std::generic_category().message(errno))};
      read_ += static_cast<uint64_t>(n);
      return static_cast<size_t>(n);
    }
  }
  // The first bytes, without taking them; fewer only when the file is shorter.
  Result<std::string_view> peek(size_t count) {
    while (ahead_.size() < count) {
      char bytes[64];
      std::string held = std::move(ahead_);
      ahead_.clear();
      auto got = read(bytes, count - held.size());
      ahead_ = std::move(held);
      if (!got) return std::move(got).error();
      if (*got == 0) break;
      ahead_.append(bytes, *got);
    }
    return std::string_view(ahead_);
  }

  const std::string& name() const { return name_; }
  uint64_t read_bytes() const { return read_ - ahead_.size(); }
  uint64_t total_bytes() const { return total_; }

 private:
  int fd_;
  std::string name_;
  uint64_t total_;
  uint64_t read_ = 0;
  std::string ahead_;
};

class PlainSource final : public LogSource {
 public:
  explicit PlainSource(RawFile file) : file_(std::move(file)) {}
  Result<size_t> read(char* into, size_t size) override { return file_.read(into, size); }
  std::string_view packing() const override { return "plain"; }
  uint64_t read_bytes() const override { return file_.read_bytes(); }
  uint64_t total_bytes() const override { return file_.total_bytes(); }

 private:
  RawFile file_;
};

// What the three unpackers share: input comes in pieces, `step` turns some of it into output.
class PackedSource : public LogSource {
 public:
  explicit PackedSource(RawFile file) : file_(std::move(file)) {}
  uint64_t read_bytes() const override { return file_.read_bytes(); }
  uint64_t total_bytes() const override { return file_.total_bytes(); }

  Result<size_t> read(char* into, size_t size) override {
    if (size == 0 || ended_) return size_t{0};
    while (true) {
      if (input_.empty() && !input_ended_) {
        buffer_.resize(kInputBytes);
        auto got = file_.read(buffer_.data(), buffer_.size());
        if (!got) return got;
        input_ = std::string_view(buffer_).substr(0, *got);
        input_ended_ = *got == 0;
      }
      size_t out = size;
      auto going = step(into, out);
      if (!going) return std::move(going).error();
      if (!*going) ended_ = true;
      if (out > 0 || ended_) return out;
    }
  }

 protected:
  // Takes from input_, writes at most `size` bytes and sets `size` to how many. False: the end was reached in order.
  virtual Result<bool> step(char* into, size_t& size) = 0;
  Error broken(std::string_view why) const {
    return {ErrorCode::kCorrupt,
            fmt::format("{}: {} at byte {}: {}", file_.name(), packing(), file_.read_bytes() - input_.size(), why)};
  }
  Error cut_short() const { return broken("the file ends too early"); }

  std::string_view input_;
  bool input_ended_ = false;

 private:
  RawFile file_;
  std::string buffer_;
  bool ended_ = false;
};

class GzipSource final : public PackedSource {
 public:
  explicit GzipSource(RawFile file) : PackedSource(std::move(file)) { inflateInit2(&stream_, 15 + 16); }
  ~GzipSource() override { inflateEnd(&stream_); }
  std::string_view packing() const override { return "gzip"; }

 protected:
  Result<bool> step(char* into, size_t& size) override {
    size_t room = std::exchange(size, 0);
    if (between_members_) {
      if (input_.empty()) return !input_ended_;
      // What follows a member and is no member is padding of a tape or a block device: gzip ignores it, too.
      if (input_[0] != '\x1f') return false;
      inflateReset(&stream_);
      between_members_ = false;
    }
    if (input_.empty() && input_ended_) return cut_short();
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(input_.data()));
    stream_.avail_in = static_cast<uInt>(input_.size());
    stream_.next_out = reinterpret_cast<Bytef*>(into);
    stream_.avail_out = static_cast<uInt>(std::min<size_t>(room, 1u << 30));
    uInt wanted = stream_.avail_out;
    int outcome = inflate(&stream_, Z_NO_FLUSH);
    input_.remove_prefix(input_.size() - stream_.avail_in);
    size = wanted - stream_.avail_out;
    if (outcome == Z_STREAM_END)
      between_members_ = true;
    else if (outcome != Z_OK && outcome != Z_BUF_ERROR)
      return broken(stream_.msg != nullptr ? stream_.msg : "damaged");
    return true;
  }

 private:
  z_stream stream_{};
  bool between_members_ = false;
};

class XzSource final : public PackedSource {
 public:
  explicit XzSource(RawFile file) : PackedSource(std::move(file)) {
    ready_ = lzma_stream_decoder(&stream_, kXzMemoryBytesMax, LZMA_CONCATENATED) == LZMA_OK;
  }
  ~XzSource() override { lzma_end(&stream_); }
  std::string_view packing() const override { return "xz"; }

 protected:
  Result<bool> step(char* into, size_t& size) override {
    size_t room = std::exchange(size, 0);
    if (!ready_) return broken("no memory to unpack it");
    stream_.next_in = reinterpret_cast<const uint8_t*>(input_.data());
    stream_.avail_in = input_.size();
    stream_.next_out = reinterpret_cast<uint8_t*>(into);
    stream_.avail_out = room;
    lzma_ret outcome = lzma_code(&stream_, input_ended_ ? LZMA_FINISH : LZMA_RUN);
    input_.remove_prefix(input_.size() - stream_.avail_in);
    size = room - stream_.avail_out;
    switch (outcome) {
      case LZMA_OK:
        return true;
      case LZMA_STREAM_END:
        return false;
      case LZMA_BUF_ERROR:
        return cut_short();
      case LZMA_MEMLIMIT_ERROR:
        return Error{ErrorCode::kTooLarge, broken("needs more than 256 MiB to unpack").message};
      default:
        return broken("damaged");
    }
  }

 private:
  lzma_stream stream_ = LZMA_STREAM_INIT;
  bool ready_ = false;
};

class ZstdSource final : public PackedSource {
 public:
  explicit ZstdSource(RawFile file) : PackedSource(std::move(file)), stream_(ZSTD_createDStream()) {
    if (stream_ != nullptr) ZSTD_DCtx_setParameter(stream_, ZSTD_d_windowLogMax, kZstdWindowLogMax);
  }
  ~ZstdSource() override { ZSTD_freeDStream(stream_); }
  std::string_view packing() const override { return "zstd"; }

 protected:
  Result<bool> step(char* into, size_t& size) override {
    size_t room = std::exchange(size, 0);
    if (stream_ == nullptr) return broken("no memory to unpack it");
    if (input_.empty() && input_ended_ && left_ == 0) return false;
    ZSTD_inBuffer in{input_.data(), input_.size(), 0};
    ZSTD_outBuffer out{into, room, 0};
    size_t before = left_;
    left_ = ZSTD_decompressStream(stream_, &out, &in);
    if (ZSTD_isError(left_)) return broken(ZSTD_getErrorName(left_));
    input_.remove_prefix(in.pos);
    size = out.pos;
    if (input_.empty() && input_ended_ && out.pos == 0 && left_ == before) return cut_short();
    return true;
  }

 private:
  ZSTD_DStream* stream_;
  size_t left_ = 0;  // 0: at the end of a frame
};
}  // namespace

Result<std::unique_ptr<LogSource>> open_log(const std::string& path) {
  int fd = STDIN_FILENO;
  uint64_t total = 0;
  std::string name = path == "-" ? "standard input" : path;
  if (path != "-") {
    fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
      ErrorCode code = errno == ENOENT   ? ErrorCode::kNotFound
                       : errno == EACCES ? ErrorCode::kForbidden
                                         : ErrorCode::kUnavailable;
      return Error{code, fmt::format("{}: {}", path, std::generic_category().message(errno))};
    }
  }
  struct stat info {};
  bool known = ::fstat(fd, &info) == 0;
  if (known && S_ISREG(info.st_mode)) total = static_cast<uint64_t>(info.st_size);
  RawFile file(fd, name, total);
  if (known && S_ISDIR(info.st_mode))
    return Error{ErrorCode::kBadInput, fmt::format("{}: a directory, not a log", path)};
  auto magic = file.peek(6);
  if (!magic) return std::move(magic).error();
  std::unique_ptr<LogSource> source;
  if (magic->starts_with("\x1f\x8b"))
    source = std::make_unique<GzipSource>(std::move(file));
  else if (magic->starts_with(std::string_view("\xfd"
                                               "7zXZ\0",
                                               6)))
    source = std::make_unique<XzSource>(std::move(file));
  else if (magic->starts_with("\x28\xb5\x2f\xfd"))
    source = std::make_unique<ZstdSource>(std::move(file));
  else if (magic->starts_with("BZh"))
    return Error{ErrorCode::kUnsupported,
                 fmt::format("{}: packed by bzip2: unpack it into standard input (bzcat {} | weir "
                             "import access-log ... -)",
                             name, path)};
  else if (magic->starts_with("PK\x03\x04"))
    return Error{ErrorCode::kUnsupported,
                 fmt::format("{}: a zip archive: unpack it into standard input (unzip -p {} | weir "
                             "import access-log ... -)",
                             name, path)};
  else
    source = std::make_unique<PlainSource>(std::move(file));
  return source;
}

// Reads more behind what is left. False at the end of the source.
Result<bool> ChunkCutter::fill() {
  if (end_) return false;
  rest_.erase(0, at_);
  at_ = 0;
  size_t held = rest_.size();
  rest_.resize(held + std::max<size_t>(chunk_bytes_, kInputBytes));
  auto got = source_.read(rest_.data() + held, rest_.size() - held);
  rest_.resize(got ? held + *got : held);
  if (!got) return std::move(got).error();
  if (*got == 0 && at_end_ == AtEnd::last_line) end_ = true;
  return *got > 0;
}

Result<LogChunk> ChunkCutter::next() {
  LogChunk chunk;
  chunk.first_line = line_;
  while (true) {
    size_t newline = rest_.find('\n', at_);
    bool unfinished = newline == std::string::npos;
    size_t length = (unfinished ? rest_.size() : newline) - at_;
    if (skipping_ || length > kLineBytesMax + 1) {
      // Chunks hold consecutive lines: what came before goes first.
      if (chunk.count > 0) return chunk;
      skipping_ = true;
      at_ = unfinished ? rest_.size() : newline + 1;
      if (unfinished) {
        auto more = fill();
        if (!more) return std::move(more).error();
        if (*more) continue;
        if (!end_) return chunk;
      }
      skipping_ = false;
      ++too_long_;
      chunk.first_line = ++line_;
      continue;
    }
    if (unfinished) {
      if (!end_) {
        auto more = fill();
        if (!more) return std::move(more).error();
        if (!*more && !end_) return chunk;
        continue;
      }
      if (length == 0) return chunk;
    }
    size_t take = unfinished ? length : length + 1;
    if (chunk.count > 0 && chunk.lines.size() + take > chunk_bytes_) return chunk;
    chunk.lines.append(rest_, at_, take);
    at_ += take;
    ++chunk.count;
    ++line_;
  }
}

}  // namespace weir::transfer
