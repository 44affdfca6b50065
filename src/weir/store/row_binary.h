#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "weir/base/bytes.h"

namespace weir::store {

// Reads ClickHouse's RowBinary forwards. Once it has run past the end it stays failed and gives zeros. Confined to one
// thread; keeps a view of the bytes.
class RowBinary {
 public:
  explicit RowBinary(std::string_view bytes) : rest_(bytes) {}
  template <class T>
  T fixed() {
    if (rest_.size() < sizeof(T)) return fail<T>();
    T value = load_le<T>(rest_.data());
    rest_.remove_prefix(sizeof(T));
    return value;
  }
  uint64_t varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      auto byte = fixed<uint8_t>();
      value |= uint64_t{byte & 0x7fu} << shift;
      if (byte < 0x80) return value;
    }
    return fail<uint64_t>();
  }
  std::string text() { return std::string(view()); }
  // A text where it stands.
  std::string_view view() { return bytes(varint()); }
  std::string_view bytes(size_t size) {
    if (rest_.size() < size) return fail<std::string_view>();
    std::string_view value = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return value;
  }
  template <class T>
  T fail() {
    failed_ = true;
    rest_ = {};
    return T();
  }
  bool failed() const { return failed_; }
  bool at_end() const { return rest_.empty(); }
  size_t left() const { return rest_.size(); }

 private:
  std::string_view rest_;
  bool failed_ = false;
};

}  // namespace weir::store
