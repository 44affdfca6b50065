#include "weir/transfer/repeats.h"

#include <fmt/format.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <charconv>
#include <utility>

namespace weir::transfer {

std::string write_repeats(std::span<const Repeat> repeats) {
  std::string out;
  for (const Repeat& r : repeats) {
    if (!out.empty()) out.push_back(',');
    fmt::format_to(std::back_inserter(out), "{}:{}", r.index, r.before);
  }
  return out;
}

Result<std::vector<Repeat>> parse_repeats(std::string_view text) {
  std::vector<Repeat> repeats;
  const char* at = text.data();
  const char* end = at + text.size();
  while (at != end) {
    Repeat r{};
    auto [colon, index_error] = std::from_chars(at, end, r.index);
    if (index_error != std::errc() || colon == end || *colon != ':') break;
    auto [next, before_error] = std::from_chars(colon + 1, end, r.before);
    if (before_error != std::errc() || r.before == 0 || (!repeats.empty() && r.index <= repeats.back().index)) break;
    repeats.push_back(r);
    at = next;
    if (at == end) return repeats;
    if (*at != ',' || ++at == end) break;
  }
  if (text.empty()) return repeats;
  return Error{ErrorCode::kBadInput,
               fmt::format("transfer: repeated lines at byte {}: expected index:count,... with rising indexes",
                           at - text.data())};
}

LineCounts::Entry& LineCounts::entry(uint64_t hash) {
  if ((size_ + 1) * 3 > table_.size() * 2) grow();
  size_t mask = table_.size() - 1;
  for (size_t at = hash & mask;; at = (at + 1) & mask) {
    Entry& e = table_[at];
    bool free = e.count == 0 && e.chunk == 0;
    if (!free && e.hash == hash) return e;
    if (!free) continue;
    e.hash = hash;
    e.chunk = 1;
    ++size_;
    return e;
  }
}

const LineCounts::Entry* LineCounts::find(uint64_t hash) const {
  if (table_.empty()) return nullptr;
  size_t mask = table_.size() - 1;
  for (size_t at = hash & mask;; at = (at + 1) & mask) {
    const Entry& e = table_[at];
    if (e.count == 0 && e.chunk == 0) return nullptr;
    if (e.hash == hash) return &e;
  }
}

void LineCounts::clear() {
  std::fill(table_.begin(), table_.end(), Entry{});
  size_ = 0;
}

void LineCounts::grow() {
  std::vector<Entry> old(table_.empty() ? 1024 : table_.size() * 2);
  old.swap(table_);
  size_t mask = table_.size() - 1;
  for (const Entry& e : old) {
    if (e.count == 0 && e.chunk == 0) continue;
    size_t at = e.hash & mask;
    while (table_[at].count != 0 || table_[at].chunk != 0) at = (at + 1) & mask;
    table_[at] = e;
  }
}

uint32_t RepeatWindow::add(std::string_view line) {
  uint64_t hash = XXH3_64bits_withSeed(line.data(), line.size(), seed_);
  LineCounts::Entry& e = young_.entry(hash);
  if (e.count == 0) {
    e.chunk = 0;
    if (const LineCounts::Entry* before = old_.find(hash)) e = *before;
  }
  uint32_t answer = e.chunk != chunk_ ? e.count : 0;
  e.chunk = chunk_;
  ++e.count;
  if (young_.size() >= kGenerationLines) {
    std::swap(young_, old_);
    young_.clear();
  }
  return answer;
}

}  // namespace weir::transfer
