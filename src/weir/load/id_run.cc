#include "weir/load/id_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "weir/base/bytes.h"
#include "weir/base/check.h"

namespace weir::load {

namespace {
// The last bytes of a file: magic, count, newest, shift of the first keys, number of pages, words of the filter, CRC of
// the first keys, CRC of the filter, CRC of the bytes before it.
constexpr std::string_view kMagic = "weirrun1";
constexpr size_t kFooterBytes = 52;
constexpr size_t kWriteBytes = 1 * MiB;
// A filter of blocks of one cache line: 10 bits an id, 6 of them set in one block, lets 1 in 100 others pass.
constexpr uint64_t kBitsAnId = 10;
constexpr size_t kBlockWords = 8;
constexpr int kProbes = 6;

Error corrupt(const std::string& path, std::string_view what) {
  return {ErrorCode::kCorrupt, fmt::format("load: {}: {}", path, what)};
}

size_t filter_words(uint64_t count) {
  const uint64_t blocks = (count * kBitsAnId + kBlockWords * 64 - 1) / (kBlockWords * 64);
  return static_cast<size_t>(std::max<uint64_t>(blocks, 1) * kBlockWords);
}

uint64_t fence_count(uint64_t pages, unsigned shift) { return (pages + (uint64_t{1} << shift) - 1) >> shift; }

// Calls probe(word, bit) for each of the id's bits until it answers false.
template <class Probe>
bool each_bit(const IdEntry& entry, size_t words, Probe probe) {
  const uint64_t blocks = words / kBlockWords;
  const auto block = static_cast<size_t>((entry.key_high & 0xffffffffU) * blocks >> 32);
  uint64_t bits = entry.key_low;
  for (int i = 0; i < kProbes; ++i, bits >>= 9) {
    if (!probe(block * kBlockWords + ((bits >> 6) & 7), uint64_t{1} << (bits & 63))) return false;
  }
  return true;
}

uint32_t fence_of(const IdEntry& entry) { return static_cast<uint32_t>(entry.key_high >> 32); }
}  // namespace

Result<std::unique_ptr<IdRun>> IdRun::open(FileSystem& files, const std::string& path, bool with_filter) {
  auto file = files.open(path, FileSystem::Mode::read);
  if (!file) return std::move(file).error();
  std::unique_ptr<IdRun> run(new IdRun());
  run->file_ = *std::move(file);
  auto size = run->file_->size();
  if (!size) return std::move(size).error();
  char footer[kFooterBytes];
  if (*size < kFooterBytes) return corrupt(path, "too short");
  auto got = run->file_->read_at(*size - kFooterBytes, footer, kFooterBytes);
  if (!got) return std::move(got).error();
  const std::string_view view(footer, kFooterBytes);
  if (*got != kFooterBytes || !view.starts_with(kMagic) || load_le<uint32_t>(footer + 48) != crc32c(view.substr(0, 48)))
    return corrupt(path, "no valid end");
  run->count_ = load_le<uint64_t>(footer + 8);
  run->fence_shift_ = load_le<uint32_t>(footer + 20);
  const uint64_t pages = run->pages_ = load_le<uint64_t>(footer + 24);
  const uint64_t words = load_le<uint64_t>(footer + 32);
  const uint64_t fences = run->fence_shift_ < 32 ? fence_count(pages, run->fence_shift_) : UINT64_MAX;
  if (pages > *size / kPageBytes || words > *size / sizeof(uint64_t) || fences > kFencesMax ||
      pages * kPageBytes + fences * sizeof(uint32_t) + words * sizeof(uint64_t) + kFooterBytes != *size ||
      run->count_ > pages * kPageEntries || run->count_ + kPageEntries <= pages * kPageEntries)
    return corrupt(path, "lengths that do not fit");
  auto read = [&](uint64_t offset, auto& into, uint32_t crc, std::string_view what) -> Result<> {
    auto* bytes = reinterpret_cast<char*>(into.data());
    const size_t length = into.size() * sizeof(into[0]);
    auto count = run->file_->read_at(offset, bytes, length);
    if (!count) return std::move(count).error();
    if (*count != length || crc32c({bytes, length}) != crc) return corrupt(path, what);
    return {};
  };
  run->fences_.resize(fences);
  const uint64_t fences_at = pages * kPageBytes;
  if (auto got_fences = read(fences_at, run->fences_, load_le<uint32_t>(footer + 40), "damaged first keys");
      !got_fences)
    return std::move(got_fences).error();
  if (with_filter) {
    run->filter_.resize(words);
    auto filter =
        read(fences_at + fences * sizeof(uint32_t), run->filter_, load_le<uint32_t>(footer + 44), "damaged filter");
    if (!filter) return std::move(filter).error();
  }
  return run;
}

size_t IdRun::entries_of(uint64_t page) const {
  return static_cast<size_t>(std::min<uint64_t>(kPageEntries, count_ - page * kPageEntries));
}

Result<> IdRun::read_page(uint64_t page, IdEntry* into) const {
  char bytes[kPageBytes];
  auto got = file_->read_at(page * kPageBytes, bytes, kPageBytes);
  if (!got) return std::move(got).error();
  if (*got != kPageBytes ||
      crc32c({bytes, kPageBytes - sizeof(uint32_t)}) != load_le<uint32_t>(bytes + kPageBytes - sizeof(uint32_t)))
    return corrupt(file_->path(), fmt::format("page {} is damaged", page));
  std::memcpy(into, bytes, entries_of(page) * sizeof(IdEntry));
  return {};
}

Result<std::optional<IdEntry>> IdRun::find(const IdEntry& key) const {
  if (!filter_.empty()) {
    const bool maybe =
        each_bit(key, filter_.size(), [&](size_t word, uint64_t bit) { return (filter_[word] & bit) != 0; });
    if (!maybe) return std::optional<IdEntry>();
  }
  // Pages that begin with the same 32 bits come in a row, and the one before them may end with them.
  auto fence = static_cast<uint64_t>(std::lower_bound(fences_.begin(), fences_.end(), fence_of(key)) - fences_.begin());
  if (fence > 0) --fence;
  IdEntry entries[kPageEntries];
  for (uint64_t page = fence << fence_shift_; page < pages_; ++page) {
    const bool fenced = (page & ((uint64_t{1} << fence_shift_) - 1)) == 0;
    if (fenced && fences_[page >> fence_shift_] > fence_of(key)) break;
    if (auto read = read_page(page, entries); !read) return std::move(read).error();
    const IdEntry* end = entries + entries_of(page);
    const IdEntry* at = std::lower_bound(static_cast<const IdEntry*>(entries), end, key,
                                         [](const IdEntry& a, const IdEntry& b) { return a.before(b); });
    if (at == end) continue;
    if (at->same_key(key)) return std::optional<IdEntry>(*at);
    break;
  }
  return std::optional<IdEntry>();
}

Result<const IdEntry*> IdRun::Cursor::next() {
  if (at_ == page_.size()) {
    if (next_page_ == run_.pages_) return static_cast<const IdEntry*>(nullptr);
    page_.resize(run_.entries_of(next_page_));
    if (auto read = run_.read_page(next_page_, page_.data()); !read) return std::move(read).error();
    ++next_page_;
    at_ = 0;
  }
  return static_cast<const IdEntry*>(&page_[at_++]);
}

Result<std::unique_ptr<IdRunWriter>> IdRunWriter::create(FileSystem& files, const std::string& path, uint64_t count_max,
                                                         size_t filter_bytes_max) {
  if (auto removed = files.remove(path); !removed) return std::move(removed).error();
  auto file = files.open(path, FileSystem::Mode::create);
  if (!file) return std::move(file).error();
  std::unique_ptr<IdRunWriter> writer(new IdRunWriter());
  writer->file_ = *std::move(file);
  if (filter_words(count_max) * sizeof(uint64_t) <= filter_bytes_max) writer->filter_.resize(filter_words(count_max));
  const uint64_t pages_max = count_max / IdRun::kPageEntries + 1;
  while (fence_count(pages_max, writer->fence_shift_) > IdRun::kFencesMax) ++writer->fence_shift_;
  writer->page_.reserve(IdRun::kPageEntries);
  return writer;
}

Result<> IdRunWriter::add(const IdEntry& entry) {
  if (!filter_.empty()) {
    each_bit(entry, filter_.size(), [&](size_t word, uint64_t bit) {
      filter_[word] |= bit;
      return true;
    });
  }
  page_.push_back(entry);
  ++count_;
  newest_ = std::max(newest_, entry.received);
  return page_.size() < IdRun::kPageEntries ? Result<>() : flush_page();
}

Result<> IdRunWriter::flush_page() {
  if (page_.empty()) return {};
  if ((pages_++ & ((uint64_t{1} << fence_shift_) - 1)) == 0) fences_.push_back(fence_of(page_.front()));
  const size_t at = buffer_.size();
  buffer_.resize(at + IdRun::kPageBytes, '\0');
  std::memcpy(buffer_.data() + at, page_.data(), page_.size() * sizeof(IdEntry));
  const uint32_t crc = crc32c(std::string_view(buffer_).substr(at, IdRun::kPageBytes - sizeof(uint32_t)));
  store_le(buffer_.data() + at + IdRun::kPageBytes - sizeof(uint32_t), crc);
  page_.clear();
  return write_out(false);
}

Result<> IdRunWriter::write_out(bool all) {
  if (buffer_.empty() || (!all && buffer_.size() < kWriteBytes)) return {};
  if (auto written = file_->write_at(position_, buffer_); !written) return written;
  position_ += buffer_.size();
  buffer_.clear();
  return {};
}

Result<> IdRunWriter::finish() {
  if (auto flushed = flush_page(); !flushed) return flushed;
  auto bytes_of = [](const auto& list) {
    return std::string_view(reinterpret_cast<const char*>(list.data()), list.size() * sizeof(list[0]));
  };
  std::string footer(kMagic);
  append_le(footer, count_);
  append_le(footer, newest_);
  append_le(footer, uint32_t{fence_shift_});
  append_le(footer, pages_);
  append_le(footer, static_cast<uint64_t>(filter_.size()));
  append_le(footer, crc32c(bytes_of(fences_)));
  append_le(footer, crc32c(bytes_of(filter_)));
  append_le(footer, crc32c(footer));
  WEIR_CHECK(footer.size() == kFooterBytes);
  buffer_.append(bytes_of(fences_)).append(bytes_of(filter_)).append(footer);
  if (auto written = write_out(true); !written) return written;
  return file_->sync();
}

}  // namespace weir::load
