#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weir::store {

// The texts of one LowCardinality column of one block: each distinct text once, each row an index. Texts are kept in
// the form ClickHouse's Native format wants them (length as LEB128, then the bytes), so that writing the dictionary
// out is one copy. Confined to one thread; reusable after clear().
class Dictionary {
 public:
  // The index of `text`, which is added when new. No allocation unless something grows.
  uint32_t index_of(std::string_view text);
  size_t size() const { return size_; }
  // All texts, encoded, in index order.
  std::string_view encoded() const { return encoded_; }
  void clear();

 private:
  // Holds all that finding a text needs but the text itself: a lookup touches two places in memory.
  struct Slot {
    uint32_t hash;
    uint32_t start;  // of the text's bytes in encoded_
    uint32_t length;
    uint32_t index_plus_one;  // 0: free
  };
  bool holds(const Slot& slot, std::string_view text) const;
  void grow();

  std::string encoded_;
  uint32_t size_ = 0;
  // Open addressing, linear probing, a power of two, at most half full; all but ''. None before the first text: of a
  // small block the tables of the columns that stay empty would be most of it.
  std::vector<Slot> slots_;
  Slot last_{};
  uint32_t empty_plus_one_ = 0;  // the index of '', which most columns hold most of the time
};

}  // namespace weir::store
