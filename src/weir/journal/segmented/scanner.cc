#include "weir/journal/segmented/scanner.h"

#include <fmt/format.h>

#include <algorithm>

namespace weir::journal::segmented {

namespace {
constexpr int kReadAttempts = 3;
constexpr uint64_t kBlockBytes = 4096;

// One past the last byte that is not zero; 0 if there is none. In words: most of a segment that is open is zeros.
size_t written_bytes(std::string_view bytes) {
  size_t end = bytes.size();
  while (end >= sizeof(uint64_t) && load_le<uint64_t>(bytes.data() + end - sizeof(uint64_t)) == 0)
    end -= sizeof(uint64_t);
  while (end > 0 && bytes[end - 1] == '\0') --end;
  return end;
}
}  // namespace

Result<std::string_view> Window::at(uint64_t position, size_t size) {
  if (position >= limit_) return std::string_view();
  size = std::min<uint64_t>(size, limit_ - position);
  if (position < start_ || position + size > start_ + held_bytes_) {
    const size_t want = std::min<uint64_t>(std::max(size, piece_bytes_), limit_ - position);
    held_bytes_ = 0;
    if (want > capacity_) {
      held_ = std::make_unique_for_overwrite<char[]>(want);
      capacity_ = want;
    }
    Result<size_t> got = size_t{0};
    for (int attempt = 0; attempt < kReadAttempts; ++attempt) {
      got = file_.read_at(position, held_.get(), want);
      if (got) break;
    }
    if (!got) return std::move(got).error();
    held_bytes_ = *got;
    start_ = position;
  }
  return std::string_view(held_.get(), held_bytes_).substr(position - start_, size);
}

Found examine(Window& window, uint64_t position, uint32_t tag) {
  Found found;
  auto head = window.at(position, kFooterBytes);
  if (!head) {
    found.kind = Found::Kind::unreadable;
    found.reason = head.error().message;
    return found;
  }
  if (head->empty()) return found;
  if (head->size() < kFrameHeaderBytes) {
    bool blank = std::all_of(head->begin(), head->end(), [](char c) { return c == 0; });
    found.kind = blank ? Found::Kind::blank : Found::Kind::bad;
    found.reason = "cut off within a frame header";
    return found;
  }
  if (head->size() == kFooterBytes) {
    if (auto footer = decode_footer(head->data(), tag); footer && footer->position == position) {
      found.kind = Found::Kind::footer;
      found.footer = std::move(*footer);
      return found;
    }
  }
  FrameFault fault = decode_frame_header(head->data(), tag, found.frame.header);
  if (fault != FrameFault::none) {
    found.kind = fault == FrameFault::blank ? Found::Kind::blank : Found::Kind::bad;
    found.reason = name_of(fault);
    return found;
  }
  found.header_valid = true;
  found.frame.position = position;
  const FrameHeader& header = found.frame.header;
  auto whole = window.at(position, header.size());
  if (!whole) {
    found.kind = Found::Kind::unreadable;
    found.reason = whole.error().message;
    return found;
  }
  found.kind = Found::Kind::bad;
  if (whole->size() < kFrameHeaderBytes + header.payload_bytes) {
    found.reason = "cut off within a frame";
    return found;
  }
  found.frame.payload = whole->substr(kFrameHeaderBytes, header.payload_bytes);
  if (crc32c(found.frame.payload) != header.payload_crc) {
    found.reason = "payload checksum";
    return found;
  }
  found.kind = Found::Kind::frame;
  return found;
}

std::optional<Landmark> find_landmark(Window& window, uint64_t from, uint32_t tag, uint32_t epoch, Offset least) {
  constexpr size_t kPiece = 1 * MiB;
  const auto footer_start = load_le<uint32_t>(kFooterMagic);
  uint64_t position = aligned(from);
  while (position < window.limit()) {
    auto piece = window.at(position, kPiece);
    if (!piece) piece = window.at(position, kBlockBytes - position % kBlockBytes);  // block by block, then
    if (!piece) {
      position = (position / kBlockBytes + 1) * kBlockBytes;
      continue;
    }
    bool last = piece->size() < kBlockBytes - position % kBlockBytes || position + piece->size() >= window.limit();
    if (piece->size() < kFrameHeaderBytes) {
      if (last) return std::nullopt;
      position += aligned(piece->size());
      continue;
    }
    // The last header's worth of a piece is looked at with the next one.
    size_t usable = piece->size() - kFrameHeaderBytes + 1;
    if (!last && piece->size() > 2 * kFooterBytes) usable = piece->size() - kFooterBytes;
    for (size_t i = 0; i < usable; i += kAlignment) {
      const char* at = piece->data() + i;
      auto word = load_le<uint32_t>(at);
      if (word == kFrameMagic) {
        FrameHeader header;
        if (decode_frame_header(at, tag, header) == FrameFault::none && header.base >= least &&
            (epoch == 0 || header.epoch == epoch))
          return Landmark{position + i, header.base, header.durable_upto, false};
      } else if (word == footer_start && i + kFooterBytes <= piece->size()) {
        auto footer = decode_footer(at, tag);
        if (footer && footer->position == position + i && footer->end >= least)
          return Landmark{position + i, footer->end, footer->end, true};
      }
    }
    position += std::max<uint64_t>(usable / kAlignment * kAlignment, kAlignment);
  }
  return std::nullopt;
}

namespace {
// Whether anything at or behind `from` proves that `expected` had been synced.
bool proven_durable(Window& window, uint64_t from, uint32_t tag, uint32_t epoch, Offset expected) {
  while (auto mark = find_landmark(window, from, tag, epoch, expected)) {
    if (mark->durable_upto > expected) return true;
    from = mark->position + kAlignment;
  }
  return false;
}

// One past the last byte at or behind `from` that is not zero; `from` if there is none.
uint64_t last_written(Window& window, uint64_t from) {
  uint64_t last = from;
  for (uint64_t position = from; position < window.limit();) {
    auto piece = window.at(position, 1 * MiB);
    if (!piece || piece->empty()) break;
    if (const size_t written = written_bytes(*piece); written > 0) last = position + written;
    position += piece->size();
  }
  return last;
}

// A footer that was cut short, or is wrong: no record is in it.
bool begins_footer(Window& window, uint64_t position) {
  auto magic = window.at(position, sizeof(uint32_t));
  return magic && magic->size() == sizeof(uint32_t) &&
         load_le<uint32_t>(magic->data()) == load_le<uint32_t>(kFooterMagic);
}

// Whether [from, upto), which begins a write into zeros, has a sector that was not written. (Of its first and last
// sector the part within.)
bool misses_a_sector(Window& window, uint64_t from, uint64_t upto) {
  constexpr uint64_t kSector = 512;
  while (from < upto) {
    const uint64_t next = std::min(upto, (from / kSector + 1) * kSector);
    auto sector = window.at(from, next - from);
    if (!sector || sector->size() < next - from || sector->find_first_not_of('\0') == std::string_view::npos)
      return true;
    from = next;
  }
  return false;
}
}  // namespace

Result<Walk> walk(Window& window, const WalkPlan& plan, const std::function<bool(const ValidFrame&)>& each) {
  Walk result;
  result.position = plan.position;
  result.unproven_position = plan.position;
  result.next = plan.expected;
  result.last_crc = plan.previous_crc;
  result.epoch = plan.epoch;
  bool chained = plan.chained;
  uint64_t position = plan.position;
  uint64_t rechecked = 0;
  while (true) {
    Found found = examine(window, position, plan.tag);
    std::string reason = found.reason;
    if (found.kind == Found::Kind::frame) {
      const FrameHeader& header = found.frame.header;
      // Behind a gap in the open end it counts only when something says that the gap had been durable.
      auto misplaced = [&] {
        if (header.base <= result.next) return header.base < result.next;
        return plan.open_end && header.durable_upto <= result.next &&
               !proven_durable(window, position + kAlignment, plan.tag, result.epoch, result.next);
      };
      if (result.epoch != 0 && header.epoch != result.epoch) {
        reason = fmt::format("frame of epoch {} in epoch {}", header.epoch, result.epoch);
      } else if (misplaced()) {
        reason = fmt::format("frame of offset {} where {} was expected", header.base, result.next);
      } else {
        if (header.base > result.next) {
          result.damaged.push_back({result.next, header.base, "frames are missing"});
        } else if (chained && header.previous_crc != result.last_crc) {
          result.problems.push_back(fmt::format("the chain of frame checksums is broken at {}", header.base));
        }
        result.epoch = header.epoch;
        if (header.durable_upto >= header.base) result.unproven_position = position;
        result.durable_upto = std::max(result.durable_upto, header.durable_upto);
        if (result.frames == 0) result.first_at = header.appended_at;
        result.last_at = header.appended_at;
        result.newest_at = std::max(result.newest_at, header.appended_at);
        ++result.frames;
        if (header.codec != Codec::raw) ++result.frames_packed;
        result.payload_bytes += header.payload_bytes;
        result.inflated_bytes += header.inflated_bytes;
        result.next = header.next();
        result.last_crc = header.crc;
        position += header.size();
        result.position = position;
        chained = true;
        if (!each(found.frame)) return result;
        continue;
      }
    }
    if (found.kind == Found::Kind::footer) {
      if (found.footer.end >= result.next) {
        if (found.footer.end > result.next)
          result.damaged.push_back({result.next, found.footer.end, "frames are missing"});
        result.next = found.footer.end;
        result.footer = std::move(found.footer);
        return result;
      }
      reason = fmt::format("footer ends at {}, frames at {}", found.footer.end, result.next);
    }
    if (found.kind == Found::Kind::end) return result;
    if (found.kind == Found::Kind::unreadable && plan.open_end)
      return Error{ErrorCode::kUnavailable, fmt::format("journal: {}", reason)};

    // Something is wrong at `position`, or nothing was written there. What follows decides.
    uint64_t behind = position + (found.header_valid ? found.frame.header.size() : kAlignment);
    auto mark = find_landmark(window, behind, plan.tag, result.epoch, result.next);
    if (!mark && found.header_valid)  // in case its length is not right after all
      mark = find_landmark(window, position + kAlignment, plan.tag, result.epoch, result.next);
    if (mark && plan.open_end && rechecked != position) {
      // A server may be writing this segment: what was read a moment ago may be older than what was found behind it.
      rechecked = position;
      window.forget();
      continue;
    }
    if (plan.open_end && !(mark && proven_durable(window, mark->position, plan.tag, result.epoch, result.next))) {
      uint64_t written = last_written(window, position);
      result.torn = written > position;
      result.torn_bytes = written - position;
      result.torn_reason = reason.empty() ? "bytes behind blank space" : reason;
      const uint64_t end = position + kFrameHeaderBytes + (found.header_valid ? found.frame.header.payload_bytes : 0);
      result.doubtful = found.kind == Found::Kind::bad && !begins_footer(window, position) && written >= end &&
                        !misses_a_sector(window, position, end);
      if (result.doubtful && found.header_valid) result.doubtful_end = found.frame.header.next();
      return result;
    }
    if (!mark) {
      // The caller knows where this segment should have ended.
      result.torn = last_written(window, position) > position;
      result.torn_reason = reason;
      return result;
    }
    if (reason.empty()) reason = name_of(FrameFault::blank);
    if (found.kind == Found::Kind::bad && found.header_valid && found.frame.header.base == result.next &&
        found.frame.header.next() > result.next && found.frame.header.next() <= mark->base &&
        position + found.frame.header.size() <= mark->position) {
      // The payload alone is damaged: exactly these records.
      result.damaged.push_back({result.next, found.frame.header.next(), reason});
      result.next = found.frame.header.next();
      result.last_crc = found.frame.header.crc;
      result.epoch = found.frame.header.epoch;
      result.position = position + found.frame.header.size();
      position = result.position;
      chained = true;
      continue;
    }
    if (mark->base > result.next) {
      result.damaged.push_back({result.next, mark->base, reason});
    } else {
      result.problems.push_back(fmt::format("{} at {}, between two records", reason, result.next));
    }
    result.next = mark->base;
    position = mark->position;
    result.position = position;
    chained = false;
  }
}

}  // namespace weir::journal::segmented
