#include "weir/load/inserter.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "weir/base/logging.h"
#include "weir/base/random.h"

namespace weir::load {

namespace {
using std::chrono::milliseconds;
using std::chrono::steady_clock;
}  // namespace

Inserter::Inserter(const Options& options, const Parts& parts, journal::Partition partition,
                   std::function<bool(milliseconds)> pause)
    : options_(options),
      parts_(parts),
      partition_(partition),
      pause_(std::move(pause)),
      process_(random_u64()),
      insert_seconds_(
          parts.registry.histogram("weir_load_insert_seconds", "Time of one insert.", metrics::seconds_bounds())),
      dead_total_(parts.registry.counter("weir_load_dead_letters_total", "Records that could not become a row.",
                                         {{"partition", std::string(journal::name_of(partition))}})) {}

std::string Inserter::new_token(uint32_t p, uint64_t first, uint64_t last) {
  return fmt::format("{:016x}:{}:{}:{}-{}", process_, ++tokens_, p, first, last);
}

bool Inserter::insert(const Piece& piece, uint32_t epoch, bool& refused_some) {
  std::string why;
  switch (try_insert(piece.block, piece.token, why)) {
    case Inserted::yes:
      return true;
    case Inserted::unknown:
      return false;
    case Inserted::refused:
      break;
  }
  // Columns without a row: what refuses them is about the table, not about any event.
  std::string table_why;
  switch (try_insert(piece.block.slice(0, 0), piece.token + "/0", table_why)) {
    case Inserted::yes:
      break;
    case Inserted::refused:
      log::critical("load: {}: the store's table does not take our columns; nothing is given up, loading waits: {}",
                    journal::name_of(partition_), table_why);
      pause_(options_.retry_pause_max);
      return false;
    case Inserted::unknown:
      return false;
  }
  log::warning("load: {}: the store refuses something in {} rows of {}..{}; looking for it: {}",
               journal::name_of(partition_), piece.block.rows(), piece.first, piece.last, why);
  Refused refused;
  refused_some = true;
  if (piece.block.rows() == 1) {
    refused.add(piece.block, parts_.clock.now(), why);
  } else if (!insert_halves(piece.block, piece.token, refused)) {
    return false;
  }
  for (DeadLetter& letter : refused.letters) {
    letter.epoch = epoch;
    if (!persist([&] { return read_record(letter); })) return false;
  }
  return persist([&] { return parts_.healer.note(refused.visits); }) && bury(refused.letters);
}

void Inserter::Refused::add(const store::Block& block, UnixMillis at, std::string why) {
  letters.push_back({block.offset_of(0), 0, at, std::move(why), {}});
  visits.push_back({block.project_of(0), block.visitor_of(0), block.time_of(0), block.time_of(0)});
}

// Inserts what of a refused block can be inserted; the refused rows come back. False: it is unknown what the store
// holds.
bool Inserter::insert_halves(const store::Block& block, const std::string& token, Refused& refused) {
  const size_t half = block.rows() / 2;
  for (auto [first, count] :
       {std::pair<size_t, size_t>(0, half), std::pair<size_t, size_t>(half, block.rows() - half)}) {
    const store::Block part = block.slice(first, count);
    const std::string part_token = fmt::format("{}/{}+{}", token, part.offset_of(0), count);
    std::string why;
    switch (try_insert(part, part_token, why)) {
      case Inserted::yes:
        break;
      case Inserted::unknown:
        return false;
      case Inserted::refused:
        if (count == 1)
          refused.add(part, parts_.clock.now(), why);
        else if (!insert_halves(part, part_token, refused))
          return false;
        break;
    }
  }
  return true;
}

Inserted Inserter::try_insert(const store::Block& block, const std::string& token, std::string& why) {
  milliseconds wait{100};
  while (true) {
    auto began = steady_clock::now();
    auto inserted = parts_.store.insert(block, token, life_.load());
    if (inserted) {
      insert_seconds_.observe(std::chrono::duration<double>(steady_clock::now() - began).count());
      return Inserted::yes;
    }
    // Within one life of the server the token makes a repetition harmless; across a restart only rows can be trusted.
    if (inserted.error().code == ErrorCode::kConflict) return Inserted::unknown;
    if (inserted.error().code == ErrorCode::kBadInput) {
      why = std::move(inserted).error().message;
      return Inserted::refused;
    }
    log::error("load: {}: insert {} of {} rows failed: {}", journal::name_of(partition_), token, block.rows(),
               inserted.error().message);
    if (!pause_(wait)) return Inserted::unknown;
    wait = std::min(wait * 2, options_.retry_pause_max);
  }
}

// Puts the record into its letter; nothing where the journal is damaged.
Result<> Inserter::read_record(DeadLetter& letter) {
  auto read = parts_.journal.reader(partition_)->read(letter.offset, 1, milliseconds(0));
  if (!read) return read.error().code == ErrorCode::kCorrupt ? Result<>() : std::move(read).error();
  for (const journal::Record& record : read->records)
    if (record.offset == letter.offset) letter.record = record.bytes;
  return {};
}

bool Inserter::persist(const std::function<Result<>()>& what) {
  milliseconds wait{100};
  while (true) {
    auto done = what();
    if (done) return true;
    log::error("load: {}: {}", journal::name_of(partition_), done.error().message);
    if (!pause_(wait)) return false;
    wait = std::min(wait * 2, options_.retry_pause_max);
  }
}

bool Inserter::bury(std::span<const DeadLetter> letters) {
  if (letters.empty()) return true;
  if (!persist([&] { return parts_.outcomes.bury(letters); })) return false;
  dead_total_.add(letters.size());
  constexpr size_t kNamed = 10;
  for (const DeadLetter& letter : letters.first(std::min(letters.size(), kNamed)))
    log::error("load: {}: the record at {} is a dead letter (`weir journal dead` lists them): {}",
               journal::name_of(partition_), letter.offset, letter.reason);
  if (letters.size() > kNamed) log::error("load: and {} more", letters.size() - kNamed);
  return true;
}

}  // namespace weir::load
