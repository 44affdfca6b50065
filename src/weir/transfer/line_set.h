#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace weir::transfer {

// A set of 64-bit hashes: one flat table, 11 to 22 bytes an entry. The hashes are uniform already, so their low bits
// place them. Confined to one thread.
class LineSet {
 public:
  // False when it was there.
  bool insert(uint64_t hash) {
    if (hash == 0) return std::exchange(has_zero_, true) == false;
    if ((size_ + 1) * 4 > table_.size() * 3) grow();
    for (size_t at = hash & mask();; at = (at + 1) & mask()) {
      if (table_[at] == hash) return false;
      if (table_[at] != 0) continue;
      table_[at] = hash;
      ++size_;
      return true;
    }
  }
  bool contains(uint64_t hash) const {
    if (hash == 0) return has_zero_;
    if (table_.empty()) return false;
    for (size_t at = hash & mask();; at = (at + 1) & mask()) {
      if (table_[at] == hash) return true;
      if (table_[at] == 0) return false;
    }
  }
  void erase(uint64_t hash) {
    if (hash == 0) has_zero_ = false;
    if (hash == 0 || table_.empty()) return;
    size_t hole = hash & mask();
    while (table_[hole] != hash) {
      if (table_[hole] == 0) return;
      hole = (hole + 1) & mask();
    }
    // What stands behind the hole moves into it unless it would come to stand before its own place.
    for (size_t at = (hole + 1) & mask(); table_[at] != 0; at = (at + 1) & mask()) {
      if (((at - (table_[at] & mask())) & mask()) < ((at - hole) & mask())) continue;
      table_[hole] = table_[at];
      hole = at;
    }
    table_[hole] = 0;
    --size_;
  }
  size_t size() const { return size_ + (has_zero_ ? 1 : 0); }
  size_t memory_bytes() const { return table_.capacity() * sizeof(uint64_t); }

 private:
  size_t mask() const { return table_.size() - 1; }
  void grow() {
    std::vector<uint64_t> old(table_.empty() ? 16 : table_.size() * 2, 0);
    old.swap(table_);
    for (uint64_t hash : old) {
      if (hash == 0) continue;
      size_t at = hash & mask();
      while (table_[at] != 0) at = (at + 1) & mask();
      table_[at] = hash;
    }
  }

  std::vector<uint64_t> table_;  // a power of two long; 0: free
  size_t size_ = 0;
  bool has_zero_ = false;
};

}  // namespace weir::transfer
