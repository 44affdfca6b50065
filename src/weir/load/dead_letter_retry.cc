#include "weir/load/dead_letter_retry.h"

#include <algorithm>
#include <string>
#include <utility>

#include "weir/enrich/enricher.h"

namespace weir::load {

Result<> DeadLetterRetry::run(const std::atomic<bool>& stopping, Done& done) {
  auto letters = parts_.outcomes.dead_letters();
  if (!letters) return std::move(letters).error();
  for (const DeadLetter& letter : *letters) {
    if (stopping) return Error{ErrorCode::kUnavailable, "load: stopping"};
    auto tried = retry(letter);
    if (!tried) return std::move(tried).error();
    ++done.tried;
    if (*tried != Tried::refused) ++done.stored;
    if (*tried == Tried::inserted) ++done.inserted;
  }
  return {};
}

Result<DeadLetterRetry::Tried> DeadLetterRetry::retry(const DeadLetter& letter) {
  const journal::PartitionInfo info = parts_.journal.info(partition_);
  auto epoch = std::find_if(info.epochs.begin(), info.epochs.end(),
                            [&](const journal::Epoch& e) { return e.number == letter.epoch; });
  if (epoch == info.epochs.end()) return Tried::refused;
  auto p = parts_.store.journal_number(parts_.reconciler.key_of(partition_, *epoch));
  if (!p) return std::move(p).error();
  // An earlier try may have been cut off behind its insert.
  auto present = parts_.store.positions(*p, letter.offset, letter.offset + 1);
  if (!present) return std::move(present).error();
  auto tried = present->empty() ? insert(letter, *p) : Result<Tried>(Tried::was_there);
  if (!tried || *tried == Tried::refused) return tried;
  const Outcomes::Decision taken_back{letter.offset, Outcome::row};
  if (auto decided = parts_.outcomes.decide({&taken_back, 1}); !decided) return std::move(decided).error();
  return tried;
}

Result<DeadLetterRetry::Tried> DeadLetterRetry::insert(const DeadLetter& letter, uint32_t p) {
  auto event = parser_.parse(letter.record);
  if (!event) return Tried::refused;
  parts_.healer.batch_begins(partition_);
  parts_.rows.refresh();
  auto made = parts_.rows.make(*event, {p, letter.offset});
  if (!made) return std::move(made).error();
  event::Row row = **made;
  row.visit = parts_.visits.assign_alone(row);
  store::Block block;
  block.add(row);
  const DirtyVisits dirty{event->project_id, enrich::visitor_of(*event), event->time, event->time};
  if (auto noted = parts_.healer.note({&dirty, 1}); !noted) return std::move(noted).error();
  std::string why;
  const Inserted inserted =
      parts_.inserter.try_insert(block, parts_.inserter.new_token(p, letter.offset, letter.offset), why);
  if (inserted == Inserted::unknown)
    return Error{ErrorCode::kUnavailable, "load: the store restarted or the loader stops; try again"};
  parts_.healer.batch_ended(partition_);
  return inserted == Inserted::yes ? Tried::inserted : Tried::refused;
}

}  // namespace weir::load
