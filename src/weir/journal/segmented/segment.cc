#include "weir/journal/segmented/segment.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <chrono>
#include <vector>

#include "weir/base/check.h"

namespace weir::journal::segmented {

namespace {
// Zeros are written and synced in steps, so that the syncs of the open segment beside it wait for one step at most.
constexpr uint64_t kZeroStepBytes = 4 * MiB;

// Whatever a sync reports is final: also "no space" (the kernel may have dropped the pages by then).
Error final_error(Error error) { return {ErrorCode::kUnavailable, "journal: " + error.message}; }
Error own(Error error) { return {error.code, "journal: " + error.message}; }

std::string canonical(XXH128_hash_t hash) {
  XXH128_canonical_t bytes;
  XXH128_canonicalFromHash(&bytes, hash);
  return {reinterpret_cast<const char*>(bytes.digest), sizeof bytes.digest};
}
}  // namespace

struct OpenSegment::Hash {
  XXH3_state_t* state = XXH3_createState();
  Hash() {
    WEIR_CHECK(state != nullptr);
    XXH3_128bits_reset(state);
  }
  ~Hash() { XXH3_freeState(state); }
  void add(std::string_view bytes) { XXH3_128bits_update(state, bytes.data(), bytes.size()); }
  std::string digest() const { return canonical(XXH3_128bits_digest(state)); }
};

Result<> prepare_segment(FileSystem& files, const std::string& directory, uint64_t bytes) {
  const std::string path = directory + "/" + kPreparedName;
  if (files.exists(path)) {
    auto file = files.open(path, FileSystem::Mode::read);
    if (!file) return own(std::move(file).error());
    auto size = (*file)->size();
    if (size && *size == bytes) return {};
    if (auto removed = files.remove(path); !removed) return own(std::move(removed).error());
  }
  const std::string temporary = path + ".new";
  if (auto removed = files.remove(temporary); !removed) return own(std::move(removed).error());
  auto file = files.open(temporary, FileSystem::Mode::create);
  if (!file) return own(std::move(file).error());
  Result<> done;
  for (uint64_t at = 0; done && at < bytes; at += kZeroStepBytes) {
    done = (*file)->zero(at, std::min(kZeroStepBytes, bytes - at));
    if (done) {
      done = (*file)->sync_data();
      if (!done) done = final_error(std::move(done).error());
    }
  }
  if (done) done = (*file)->sync();
  if (done) done = files.rename(temporary, path);
  if (done) done = files.sync_directory(directory);
  if (!done) {
    file->reset();
    (void)files.remove(temporary);  // frees what it took; a leftover is removed by the next attempt
    return own(std::move(done).error());
  }
  return {};
}

OpenSegment::OpenSegment(std::unique_ptr<File> file, std::string path, const SegmentHeader& header, uint64_t capacity)
    : file_(std::move(file)),
      path_(std::move(path)),
      base_(header.base),
      epoch_(header.epoch),
      tag_(tag_of(header.uuid, header.partition)),
      created_at_(header.created_at),
      capacity_(capacity),
      next_(header.base),
      last_crc_(header.previous_crc),
      hash_(std::make_unique<Hash>()) {}
OpenSegment::~OpenSegment() = default;

Result<std::unique_ptr<OpenSegment>> OpenSegment::start(FileSystem& files, const std::string& directory,
                                                        const SegmentHeader& header) {
  const std::string prepared = directory + "/" + kPreparedName;
  const std::string path = directory + "/" + segment_name(header.base);
  const std::string block = encode(header);
  auto file = files.open(prepared, FileSystem::Mode::write);
  if (!file) return own(std::move(file).error());
  auto capacity = (*file)->size();
  if (!capacity) return final_error(std::move(capacity).error());
  if (auto written = (*file)->write_at(0, block); !written) return own(std::move(written).error());
  if (auto synced = (*file)->sync(); !synced) return final_error(std::move(synced).error());
  if (auto renamed = files.rename(prepared, path); !renamed) return own(std::move(renamed).error());
  // From here on the name may or may not be durable: no way back.
  if (auto synced = files.sync_directory(directory); !synced) return final_error(std::move(synced).error());
  auto opened = files.open(path, FileSystem::Mode::write);  // under its name, for what errors will say
  if (!opened) return final_error(std::move(opened).error());
  std::unique_ptr<OpenSegment> segment(new OpenSegment(*std::move(opened), path, header, *capacity));
  segment->hash_->add(block);
  return segment;
}

Result<std::unique_ptr<OpenSegment>> OpenSegment::resume(FileSystem& files, const std::string& path,
                                                         const SegmentHeader& header, const Walk& walked) {
  auto file = files.open(path, FileSystem::Mode::write);
  if (!file) return own(std::move(file).error());
  auto capacity = (*file)->size();
  if (!capacity) return own(std::move(capacity).error());
  std::unique_ptr<OpenSegment> segment(new OpenSegment(*std::move(file), path, header, *capacity));
  segment->position_ = walked.position;
  segment->next_ = walked.next;
  segment->last_crc_ = walked.last_crc;
  segment->frames_ = walked.frames;
  segment->first_at_ = walked.first_at;
  segment->last_at_ = walked.last_at;
  segment->newest_at_ = walked.newest_at;
  std::string piece(std::min<uint64_t>(walked.position, 1 * MiB), '\0');
  for (uint64_t at = 0; at < walked.position;) {
    size_t want = std::min<uint64_t>(piece.size(), walked.position - at);
    auto got = segment->file_->read_at(at, piece.data(), want);
    if (!got) return own(std::move(got).error());
    if (*got != want) return Error{ErrorCode::kCorrupt, fmt::format("journal: {}: shorter than a moment ago", path)};
    segment->hash_->add(std::string_view(piece).substr(0, want));
    at += want;
  }
  return segment;
}

bool OpenSegment::fits(uint64_t payload_bytes) const {
  return position_ + kFrameHeaderBytes + aligned(payload_bytes) + kFooterBytes <= capacity_;
}

Result<> OpenSegment::append(FrameHeader& frame, std::span<const iovec> payload, uint64_t& sync_nanos) {
  WEIR_CHECK(!sealed_ && frame.base == next_);
  frame.epoch = epoch_;
  frame.previous_crc = last_crc_;
  char header[kFrameHeaderBytes];
  encode(frame, tag_, header);
  static constexpr char kPadding[kAlignment] = {};
  std::vector<iovec> pieces;
  pieces.reserve(payload.size() + 2);
  pieces.push_back({header, sizeof header});
  pieces.insert(pieces.end(), payload.begin(), payload.end());
  size_t padding = aligned(frame.payload_bytes) - frame.payload_bytes;
  if (padding > 0) pieces.push_back({const_cast<char*>(kPadding), padding});

  if (auto written = file_->write_at(position_, std::span<const iovec>(pieces)); !written)
    return own(std::move(written).error());
  auto before = std::chrono::steady_clock::now();
  if (auto synced = file_->sync_data(); !synced) return final_error(std::move(synced).error());
  sync_nanos = static_cast<uint64_t>((std::chrono::steady_clock::now() - before).count());

  for (const iovec& piece : pieces) hash_->add({static_cast<const char*>(piece.iov_base), piece.iov_len});
  position_ += frame.size();
  capacity_ = std::max(capacity_, position_);
  next_ = frame.next();
  last_crc_ = frame.crc;
  if (frames_++ == 0) first_at_ = frame.appended_at;
  last_at_ = frame.appended_at;
  newest_at_ = std::max(newest_at_, frame.appended_at);
  return {};
}

Result<> OpenSegment::take_back() {
  if (auto cut = file_->truncate(position_); !cut) return final_error(std::move(cut).error());
  return {};
}

Result<> OpenSegment::refill() {
  auto size = file_->size();
  if (!size) return final_error(std::move(size).error());
  if (*size >= capacity_) return {};
  if (auto filled = file_->zero(*size, capacity_ - *size); !filled) return own(std::move(filled).error());
  if (auto synced = file_->sync(); !synced) return final_error(std::move(synced).error());
  return {};
}

Result<Footer> OpenSegment::seal() {
  WEIR_CHECK(!sealed_);
  Footer footer;
  footer.frames = frames_;
  footer.end = next_;
  footer.position = position_;
  footer.first_at = first_at_;
  footer.last_at = last_at_;
  footer.newest_at = newest_at_;
  footer.last_crc = last_crc_;
  footer.hash = hash_->digest();
  std::string bytes = encode(footer, tag_);
  if (auto written = file_->write_at(position_, bytes); !written) return own(std::move(written).error());
  if (auto cut = file_->truncate(position_ + bytes.size()); !cut) return final_error(std::move(cut).error());
  if (auto synced = file_->sync(); !synced) return final_error(std::move(synced).error());
  sealed_ = true;
  hash_bytes_ = footer.hash;
  return footer;
}

SegmentInfo OpenSegment::info() const {
  SegmentInfo info;
  info.path = path_;
  info.base = base_;
  info.end = next_;
  info.epoch = epoch_;
  info.frames_end = position_;
  info.bytes = sealed_ ? position_ + kFooterBytes : capacity_;
  info.last_crc = last_crc_;
  info.created_at = created_at_;
  info.last_at = frames_ > 0 ? last_at_ : created_at_;
  info.newest_at = frames_ > 0 ? newest_at_ : created_at_;
  info.sealed = sealed_;
  info.hash = hash_bytes_;
  return info;
}

Result<std::string> hash_file(File& file, uint64_t bytes) {
  std::unique_ptr<XXH3_state_t, XXH_errorcode (*)(XXH3_state_t*)> state(XXH3_createState(), &XXH3_freeState);
  WEIR_CHECK(state != nullptr);
  XXH3_128bits_reset(state.get());
  std::string piece(1 * MiB, '\0');
  for (uint64_t at = 0; at < bytes;) {
    size_t want = std::min<uint64_t>(piece.size(), bytes - at);
    auto got = file.read_at(at, piece.data(), want);
    if (!got) return own(std::move(got).error());
    if (*got != want) return Error{ErrorCode::kCorrupt, fmt::format("journal: {}: ends at {}", file.path(), at + *got)};
    XXH3_128bits_update(state.get(), piece.data(), want);
    at += want;
  }
  return canonical(XXH3_128bits_digest(state.get()));
}

}  // namespace weir::journal::segmented
