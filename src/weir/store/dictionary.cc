#include "weir/store/dictionary.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <cstring>

#include "weir/base/bytes.h"
#include "weir/base/check.h"

namespace weir::store {

namespace {
constexpr size_t kSlotsLeast = 64;
uint32_t hash_of(std::string_view text) { return static_cast<uint32_t>(XXH3_64bits(text.data(), text.size())); }
}  // namespace

Dictionary::Dictionary() : slots_(kSlotsLeast) {}

uint32_t Dictionary::index_of(std::string_view text) {
  auto equals = [&](uint32_t index) {
    const Entry& entry = entries_[index];
    return entry.length == text.size() && std::memcmp(encoded_.data() + entry.start, text.data(), text.size()) == 0;
  };
  // Neighbouring events are often of one visit: most columns repeat their last value.
  if (last_ < entries_.size() && equals(last_)) return last_;
  uint32_t hash = hash_of(text);
  size_t mask = slots_.size() - 1;
  size_t at = hash & mask;
  for (; slots_[at].index_plus_one != 0; at = (at + 1) & mask) {
    if (slots_[at].hash == hash && equals(slots_[at].index_plus_one - 1)) return last_ = slots_[at].index_plus_one - 1;
  }
  auto index = static_cast<uint32_t>(entries_.size());
  append_varint(encoded_, text.size());
  WEIR_CHECK(encoded_.size() + text.size() < UINT32_MAX);
  entries_.push_back({static_cast<uint32_t>(encoded_.size()), static_cast<uint32_t>(text.size())});
  encoded_.append(text);
  slots_[at] = {hash, index + 1};
  if (entries_.size() * 2 > slots_.size()) grow();
  return last_ = index;
}

void Dictionary::clear() {
  // Emptying a table much larger than what it held would cost more than growing it again.
  size_t wanted = kSlotsLeast;
  while (wanted < entries_.size() * 4) wanted *= 2;
  if (slots_.size() > wanted) slots_.resize(wanted);
  std::fill(slots_.begin(), slots_.end(), Slot{});
  entries_.clear();
  encoded_.clear();
  last_ = UINT32_MAX;
}

void Dictionary::grow() {
  std::vector<Slot> larger(slots_.size() * 2);
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
