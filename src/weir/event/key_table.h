#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weir::event {

// Which of a fixed set of names is this? One multiplication, one look into a table of bytes and one comparison. The
// multiplier is found while compiling. Immutable.
template <size_t kNames>
class KeyTable {
 public:
  // Names must be distinct, not empty, and distinct in (length, first eight bytes) so that the search ends.
  consteval explicit KeyTable(const std::array<std::string_view, kNames>& names) : names_(names) {
    uint64_t multiplier = 0x9e3779b97f4a7c15;
    while (!fill(multiplier)) multiplier = multiplier * 0x5851f42d4c957f2d + 0x14057b7ef767814f;
    multiplier_ = multiplier | 1;
  }

  // The name's place in the array, or kNames.
  size_t find(std::string_view key) const {
    if (key.empty()) return kNames;
    size_t name = slots_[slot(key, multiplier_)];
    return name < kNames && names_[name] == key ? name : kNames;
  }
  std::string_view name(size_t i) const { return names_[i]; }

 private:
  static_assert(kNames > 0 && kNames < 64);
  static constexpr unsigned kBits = 8;

  // Eight bytes that tell the names apart, without reading past the key's end.
  static constexpr uint64_t fingerprint(std::string_view key) {
    auto byte = [&](size_t i) { return static_cast<uint64_t>(static_cast<unsigned char>(key[i])); };
    auto four = [&](size_t i) { return byte(i) | byte(i + 1) << 8 | byte(i + 2) << 16 | byte(i + 3) << 24; };
    if (key.size() >= 8) return four(0) | four(4) << 32;
    if (key.size() >= 4) return four(0) | four(key.size() - 4) << 32;
    return byte(0) | byte(key.size() / 2) << 8 | byte(key.size() - 1) << 16;
  }
  static constexpr size_t slot(std::string_view key, uint64_t multiplier) {
    return static_cast<size_t>(((fingerprint(key) + key.size() * 0x9e3779b97f4a7c15) * multiplier) >> (64 - kBits));
  }
  consteval bool fill(uint64_t multiplier) {
    slots_.fill(kNames);
    for (size_t i = 0; i < kNames; ++i) {
      uint8_t& place = slots_[slot(names_[i], multiplier | 1)];
      if (place != kNames) return false;
      place = static_cast<uint8_t>(i);
    }
    return true;
  }

  std::array<std::string_view, kNames> names_;
  std::array<uint8_t, size_t{1} << kBits> slots_{};
  uint64_t multiplier_ = 0;
};

}  // namespace weir::event
