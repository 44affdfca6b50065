#include "weir/store/dictionary.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <cstring>

#include "weir/base/bytes.h"
#include "weir/base/check.h"

namespace weir::store {

namespace {
constexpr size_t kSlotsFirst = 8;
constexpr size_t kSlotsKept = 64;

uint32_t hash_of(std::string_view text) { return static_cast<uint32_t>(XXH3_64bits(text.data(), text.size())); }

// Most texts are short; calling memcmp for them takes longer than comparing.
bool equal(const char* a, const char* b, size_t size) {
  if (size > 16) return std::memcmp(a, b, size) == 0;
  if (size >= 8)
    return load_le<uint64_t>(a) == load_le<uint64_t>(b) &&
           load_le<uint64_t>(a + size - 8) == load_le<uint64_t>(b + size - 8);
  if (size >= 4)
    return load_le<uint32_t>(a) == load_le<uint32_t>(b) &&
           load_le<uint32_t>(a + size - 4) == load_le<uint32_t>(b + size - 4);
  for (size_t i = 0; i < size; ++i)
    if (a[i] != b[i]) return false;
  return true;
}
}  // namespace

bool Dictionary::holds(const Slot& slot, std::string_view text) const {
  return slot.length == text.size() && equal(encoded_.data() + slot.start, text.data(), text.size());
}

uint32_t Dictionary::index_of(std::string_view text) {
  if (text.empty()) {
    if (empty_plus_one_ == 0) {
      append_varint(encoded_, 0);
      empty_plus_one_ = ++size_;
    }
    return empty_plus_one_ - 1;
  }
  // Neighbouring events are often of one visit: most columns repeat their last value.
  if (last_.index_plus_one != 0 && holds(last_, text)) return last_.index_plus_one - 1;
  if (size_ * 2 >= slots_.size()) grow();
  uint32_t hash = hash_of(text);
  size_t mask = slots_.size() - 1;
  size_t at = hash & mask;
  for (; slots_[at].index_plus_one != 0; at = (at + 1) & mask) {
    if (slots_[at].hash == hash && holds(slots_[at], text)) {
      last_ = slots_[at];
      return last_.index_plus_one - 1;
    }
  }
  append_varint(encoded_, text.size());
  WEIR_CHECK(encoded_.size() + text.size() < UINT32_MAX);
  last_ = {hash, static_cast<uint32_t>(encoded_.size()), static_cast<uint32_t>(text.size()), ++size_};
  encoded_.append(text);
  slots_[at] = last_;
  return size_ - 1;
}

void Dictionary::clear() {
  // Emptying a table much larger than what it held would cost more than growing it again.
  size_t wanted = kSlotsKept;
  while (wanted < size_ * size_t{4}) wanted *= 2;
  if (slots_.size() > wanted) slots_.resize(wanted);
  std::fill(slots_.begin(), slots_.end(), Slot{});
  encoded_.clear();
  size_ = 0;
  empty_plus_one_ = 0;
  last_ = {};
}

void Dictionary::grow() {
  std::vector<Slot> larger(std::max(kSlotsFirst, slots_.size() * 2));
  size_t mask = larger.size() - 1;
  for (const Slot& slot : slots_) {
    if (slot.index_plus_one == 0) continue;
    size_t at = slot.hash & mask;
    while (larger[at].index_plus_one != 0) at = (at + 1) & mask;
    larger[at] = slot;
  }
  slots_ = std::move(larger);
}

}  // namespace weir::store
