#include "weir/load/reconciler.h"

#include <algorithm>
#include <chrono>
#include <unordered_map>
#include <utility>

#include "weir/base/logging.h"

namespace weir::load {

namespace {
using std::chrono::milliseconds;
using std::chrono::steady_clock;

// Positions are compared in runs of this many: a run that counts right needs no closer look.
constexpr uint64_t kRun = 65'536;
constexpr uint64_t kReadBytes = 4 * MiB;
}  // namespace

Reconciler::Reconciler(const Parts& parts, journal::Partition partition)
    : parts_(parts),
      partition_(partition),
      recovered_end_(parts.journal.writer(partition).end()),
      moved_upto_(recovered_end_) {}

store::JournalKey Reconciler::key_of(journal::Partition of, const journal::Epoch& epoch) const {
  return {parts_.journal.uuid(),
          std::string(parts_.journal.kind()),
          std::string(parts_.journal.topic()),
          static_cast<uint16_t>(of),
          epoch.number,
          epoch.first};
}

// The offsets of any partition in [first, next) that have a row, rising.
Result<std::vector<uint64_t>> Reconciler::stored(journal::Partition of, uint64_t first, uint64_t next) {
  std::vector<uint64_t> found;
  const journal::PartitionInfo info = parts_.journal.info(of);
  for (size_t i = 0; i < info.epochs.size(); ++i) {
    const uint64_t from = std::max(first, info.epochs[i].first);
    const uint64_t upto = i + 1 < info.epochs.size() ? std::min(next, info.epochs[i + 1].first) : next;
    if (from >= upto) continue;
    auto p = parts_.store.journal_number(key_of(of, info.epochs[i]));
    if (!p) return std::move(p).error();
    auto rows = parts_.store.positions(*p, from, upto);
    if (!rows) return std::move(rows).error();
    found.insert(found.end(), rows->begin(), rows->end());
  }
  return found;
}

// One past the highest position of the partition that has a row, in whatever epoch: one of which rows are left may be
// lost with its records, or have ended earlier since.
Result<journal::Offset> Reconciler::stored_end() {
  auto journals = parts_.store.journals();
  if (!journals) return std::move(journals).error();
  journal::Offset end = 0;
  for (const store::JournalRow& row : *journals) {
    const store::JournalKey& key = row.key;
    if (key.uuid != parts_.journal.uuid() || key.kind != parts_.journal.kind() || key.topic != parts_.journal.topic() ||
        key.partition != static_cast<uint16_t>(partition_))
      continue;
    auto of_epoch = parts_.store.end_position(row.p);
    if (!of_epoch) return std::move(of_epoch).error();
    end = std::max<journal::Offset>(end, *of_epoch);
  }
  return end;
}

// Once a process: the store holds what the journal had lost before it was opened.
Result<> Reconciler::go_above_the_store(const Persist& persist) {
  if (above_) return {};
  const journal::PartitionInfo info = parts_.journal.info(partition_);
  // The epoch that the journal went on with; one begun since then is above already.
  auto epoch = std::find_if(info.epochs.rbegin(), info.epochs.rend(),
                            [this](const journal::Epoch& e) { return e.first <= recovered_end_; });
  if (epoch == info.epochs.rend()) {
    above_ = true;
    return {};
  }
  auto stored = stored_end();
  if (!stored) return std::move(stored).error();
  // Nothing was decided in this process yet: what stands there is about records that are lost.
  auto decided = parts_.outcomes.settled(recovered_end_, UINT64_MAX);
  if (!decided) return std::move(decided).error();
  const uint64_t known_end = std::max(*stored, decided->all.empty() ? 0 : decided->all.back().next);
  if (known_end > recovered_end_) {
    log::critical(
        "load: {}: positions up to {} are known, the journal ended at {} when it was opened: its disk lost what it had "
        "synced, or an older copy was put back. Rows stay as they are; the journal goes on in a new epoch above them",
        journal::name_of(partition_), known_end, recovered_end_);
    if (epoch == info.epochs.rbegin())
      if (auto begun = parts_.journal.begin_epoch(partition_, known_end); !begun) return begun;
    const journal::PartitionInfo now = parts_.journal.info(partition_);
    auto next = std::find_if(now.epochs.begin(), now.epochs.end(),
                             [&](const journal::Epoch& e) { return e.number > epoch->number; });
    if (next == now.epochs.end()) return Error{ErrorCode::kUnavailable, "load: the new epoch is not there yet"};
    if (auto again = append_again(next->first, persist); !again) return again;
  }
  above_ = true;
  return {};
}

// The records of [moved_upto_, next) at the journal's end: durable there, then settled where they were, whatever was
// decided about the lost ones at their positions. A kill between the two leaves both; an id then counts once, and an
// event without one twice.
Result<> Reconciler::append_again(uint64_t next, const Persist& persist) {
  auto reader = parts_.journal.reader(partition_);
  while (moved_upto_ < next) {
    auto read = reader->read(moved_upto_, kReadBytes, milliseconds(0));
    if (!read && read.error().code == ErrorCode::kCorrupt) continue;
    if (!read) return std::move(read).error();
    if (read->next <= moved_upto_) break;
    journal::Records records;
    std::vector<Outcomes::Decision> decisions;
    for (const journal::Record& record : read->records) {
      if (record.offset >= next) continue;
      records.add(record.bytes);
      decisions.push_back({record.offset, Outcome::moved});
    }
    if (!records.empty()) {
      auto appended = journal::append_and_wait(parts_.journal.writer(partition_), std::move(records),
                                               steady_clock::now() + std::chrono::minutes(1));
      if (!appended) return std::move(appended).error();
      moved_upto_ = std::min(read->next, next);
      if (!persist([&] { return parts_.outcomes.decide(decisions); }))
        return Error{ErrorCode::kUnavailable, "load: stopping"};
    }
    moved_upto_ = std::min(read->next, next);
  }
  return {};
}

Result<Reconciler::Found> Reconciler::compare() {
  const journal::PartitionInfo info = parts_.journal.info(partition_);
  Found found;
  found.begin = info.begin;
  found.end = found.tail = info.end;
  if (auto retired = parts_.outcomes.retire_below(info.begin); !retired) return std::move(retired).error();
  auto settled = parts_.outcomes.settled(info.begin, info.end);
  if (!settled) return std::move(settled).error();
  // What needs no row: its outcome is known, or it cannot be read any more.
  std::vector<Range> unsure = std::move(settled->unsure);
  for (const journal::Damage& damage : info.damaged) unsure.push_back({damage.first, damage.next});
  unsure = joined(std::move(unsure));
  std::vector<Range> holes = std::move(settled->all);
  holes.insert(holes.end(), unsure.begin(), unsure.end());
  holes = joined(std::move(holes));
  for (size_t i = 0; i < info.epochs.size(); ++i) {
    const journal::Epoch& epoch = info.epochs[i];
    uint64_t epoch_end = i + 1 < info.epochs.size() ? info.epochs[i + 1].first : info.end;
    if (epoch_end <= info.begin && i + 1 < info.epochs.size()) continue;  // all of it was retired
    auto p = parts_.store.journal_number(key_of(partition_, epoch));
    if (!p) return std::move(p).error();
    found.numbers[epoch.number] = *p;
    auto stored_end = parts_.store.end_position(*p);
    if (!stored_end) return std::move(stored_end).error();
    Range range{std::max(epoch.first, info.begin), epoch_end};
    // Everything from the highest stored position on is missing without a look.
    uint64_t known = std::clamp(*stored_end, range.first, range.next);
    std::vector<Range> absent;
    auto compared = compare_epoch(*p, {range.first, known}, holes, unsure, absent);
    if (!compared) return std::move(compared).error();
    append_range(absent, {known, range.next});
    for (Range gap : without(absent, holes)) append_range(found.missing, gap);
  }
  // What touches the end is the ordinary tail.
  if (!found.missing.empty() && found.missing.back().next == found.tail) {
    found.tail = found.missing.back().first;
    found.missing.pop_back();
  }
  return found;
}

// `holes`: need no row; `unsure`: those of them that may have one, so that a count does not tell what is missing.
Result<> Reconciler::compare_epoch(uint32_t p, Range range, std::span<const Range> holes, std::span<const Range> unsure,
                                   std::vector<Range>& absent) {
  if (range.first >= range.next) return {};
  auto counts = parts_.store.count_positions(p, range.first, range.next, kRun);
  if (!counts) return std::move(counts).error();
  std::unordered_map<uint64_t, uint64_t> rows_of_run;
  for (const store::RangeCount& count : *counts) rows_of_run[count.first] = count.rows;
  for (uint64_t at = range.first; at < range.next; at += kRun) {
    Range run{at, std::min(at + kRun, range.next)};
    auto rows = rows_of_run.find(at);
    if (rows == rows_of_run.end()) {
      append_range(absent, run);
    } else if (overlap(run, unsure) > 0 || rows->second + overlap(run, holes) != run.next - run.first) {
      auto present = parts_.store.positions(p, run.first, run.next);
      if (!present) return std::move(present).error();
      for (Range gap : missing_from(run, *present)) append_range(absent, gap);
    }
  }
  return {};
}

}  // namespace weir::load
