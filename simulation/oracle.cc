#include "simulation/oracle.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace weir::simulation {

namespace {
using journal::Offset;
using store::testing::StoredRow;

bool contains(const std::vector<load::Range>& ranges, Offset offset) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [offset](load::Range range) { return range.first <= offset && offset < range.next; });
}
std::string place(size_t partition, Offset offset) {
  return fmt::format("{}:{}", journal::name_of(static_cast<journal::Partition>(partition)), offset);
}
// A record says its event's name; garbage is no record.
std::string_view name_in(std::string_view record) {
  constexpr std::string_view kKey = R"("name":")";
  const size_t at = record.find(kKey);
  if (at == std::string_view::npos) return {};
  const std::string_view rest = record.substr(at + kKey.size());
  return rest.substr(0, rest.find('"'));
}
}  // namespace

SentEvent& Oracle::add(SentEvent event) {
  ++counts_.sent;
  events_.push_back(std::make_unique<SentEvent>(std::move(event)));
  if (!events_.back()->id.empty()) with_ids_.push_back(events_.back().get());
  return *events_.back();
}

void Oracle::acknowledged(journal::Partition partition, const std::vector<SentEvent*>& events, Offset first) {
  for (SentEvent* event : events) {
    event->acknowledged = true;
    acknowledgements_.push_back({partition, first++, event});
    ++counts_.accepted;
  }
}

void Oracle::disk_lied_since(size_t acknowledgements) {
  disk_lied_ = true;
  for (size_t i = acknowledgements; i < acknowledgements_.size(); ++i) give_up(acknowledgements_[i]);
}

void Oracle::lost(journal::Partition partition, load::Range range) {
  damaged_ = true;
  for (Acknowledgement& ack : acknowledgements_)
    if (ack.partition == partition && range.first <= ack.offset && ack.offset < range.next) give_up(ack);
}

void Oracle::give_up(Acknowledgement& acknowledgement) {
  acknowledgement.broken = true;
  acknowledgement.event->broken = true;
}

std::string Oracle::judge(const std::array<Found, kPartitions>& found, const std::vector<StoredRow>& rows) {
  counts_.rows = rows.size();
  for (const Found& partition : found) {
    for (load::Range range : partition.damaged) counts_.damaged += range.next - range.first;
    for (const auto& [offset, outcome] : partition.outcomes) {
      counts_.duplicates += outcome == load::Outcome::duplicate ? 1 : 0;
      counts_.dead += outcome == load::Outcome::dead ? 1 : 0;
      counts_.moved += outcome == load::Outcome::moved ? 1 : 0;
    }
  }
  std::string problem = judge_positions(found, rows);
  return problem.empty() ? judge_events(found, rows) : problem;
}

// No position twice, each record a row or an outcome, each row its own record's.
std::string Oracle::judge_positions(const std::array<Found, kPartitions>& found, const std::vector<StoredRow>& rows) {
  std::set<std::pair<uint32_t, Offset>> positions;
  std::array<std::map<Offset, const StoredRow*>, kPartitions> row_at;
  for (const StoredRow& row : rows) {
    if (!positions.emplace(row.p, row.o).second)
      return fmt::format("the position {}:{} has two rows ({})", row.p, row.o, row.text("name"));
    for (size_t i = 0; i < kPartitions; ++i)
      // A rolled back journal may have lost a record whose row, in an epoch that went on, is here.
      if (found[i].numbers.contains(row.p)) row_at[i].emplace(row.o, &row);
  }
  for (size_t i = 0; i < kPartitions; ++i) {
    for (const auto& [offset, record] : found[i].records) {
      auto outcome = found[i].outcomes.find(offset);
      const bool settled = outcome != found[i].outcomes.end() && outcome->second != load::Outcome::row;
      auto row = row_at[i].find(offset);
      const bool moved = settled && outcome->second == load::Outcome::moved;
      if (moved) continue;  // the row there is of the record that was lost
      if (row == row_at[i].end() && !settled)
        return fmt::format("the record at {} ({}) has neither row nor outcome", place(i, offset), name_in(record));
      if (row == row_at[i].end()) continue;
      if (settled)
        return fmt::format("the record at {} ({}) has a row and the outcome {}", place(i, offset), name_in(record),
                           load::name_of(outcome->second));
      if (row->second->text("name") != name_in(record))
        return fmt::format("the row of {} is {}, its record {}", place(i, offset), row->second->text("name"),
                           name_in(record));
    }
  }
  return {};
}

std::string Oracle::places_of(const SentEvent& event) const {
  std::string places;
  for (const Acknowledgement& ack : acknowledgements_)
    if (ack.event == &event)
      places += (places.empty() ? "" : ", ") + place(static_cast<size_t>(ack.partition), ack.offset);
  return places;
}

// Ids of which the journal lost a record: what that one said, nobody can know any more.
std::set<std::pair<uint64_t, std::string_view>> Oracle::unjudgeable_ids(const std::array<Found, kPartitions>& found,
                                                                        const std::vector<StoredRow>& rows) const {
  std::set<std::pair<uint64_t, std::string_view>> ids;
  for (const SentEvent* event : with_ids_)
    if (event->broken || (damaged_ && event->refused)) ids.insert({event->project, event->id});
  for (const StoredRow& row : rows) {
    bool lost = disk_lied_;  // of a journal that is gone altogether
    for (const Found& partition : found) {
      if (!partition.numbers.contains(row.p)) continue;
      auto record = partition.records.find(row.o);
      lost = contains(partition.damaged, row.o) ||
             (disk_lied_ && (record == partition.records.end() || name_in(record->second) != row.text("name")));
    }
    if (lost) ids.insert({row.project_id, row.text("client_id")});
  }
  return ids;
}

std::string Oracle::judge_events(const std::array<Found, kPartitions>& found, const std::vector<StoredRow>& rows) {
  std::set<std::pair<journal::Partition, Offset>> given;
  for (size_t i = 0; i < kPartitions; ++i)
    for (load::Range range : found[i].damaged) lost(static_cast<journal::Partition>(i), range);
  for (const Acknowledgement& ack : acknowledgements_) {
    const auto partition = static_cast<size_t>(ack.partition);
    auto where = [&] { return place(partition, ack.offset); };
    if (ack.broken) continue;
    if (!given.emplace(ack.partition, ack.offset).second) return fmt::format("{} was given out twice", where());
    if (ack.offset < found[partition].begin) continue;  // stored and old enough
    auto record = found[partition].records.find(ack.offset);
    if (record == found[partition].records.end()) return fmt::format("{} ({}) is gone", where(), ack.event->name);
    if (record->second != ack.event->record)
      return fmt::format("{} was acknowledged for {} and holds {}", where(), ack.event->name, name_in(record->second));
  }
  std::unordered_map<std::string_view, size_t> by_name;
  std::map<std::pair<uint64_t, std::string_view>, size_t> by_id;
  for (const StoredRow& row : rows) {
    ++by_name[row.text("name")];
    if (const std::string_view id = row.text("client_id"); !id.empty()) ++by_id[{row.project_id, id}];
  }
  auto count = [](const auto& counts, const auto& key) {
    auto at = counts.find(key);
    return at == counts.end() ? size_t{0} : at->second;
  };
  std::set<std::string_view> dead;
  for (const Found& partition : found)
    for (const load::DeadLetter& letter : partition.dead_letters) dead.insert(letter.record);
  const auto broken_ids = unjudgeable_ids(found, rows);
  for (const auto& event : events_) {
    const size_t rows_of_name = count(by_name, std::string_view(event->name));
    if (event->nature != Nature::fine) {
      if (rows_of_name != 0) return fmt::format("{} has a row", event->name);
      if (event->acknowledged && !event->broken && !dead.contains(event->record))
        return fmt::format("{} was acknowledged at {} and is no dead letter", event->name, places_of(*event));
      continue;
    }
    if (event->id.empty()) {
      if (rows_of_name > 1) return fmt::format("{} has {} rows", event->name, rows_of_name);
      if (event->acknowledged && !event->broken && rows_of_name == 0)
        return fmt::format("{} was acknowledged at {} and has no row", event->name, places_of(*event));
      continue;
    }
    const std::pair<uint64_t, std::string_view> key{event->project, event->id};
    if (broken_ids.contains(key)) continue;
    const size_t rows_of_id = count(by_id, key);
    if (rows_of_id > 1) {
      std::string places;
      for (const StoredRow& row : rows)
        if (row.project_id == key.first && row.text("client_id") == key.second)
          places += fmt::format(" {} at {}:{}", row.text("name"), row.p, row.o);
      return fmt::format("id {} of project {} has {} rows:{}", event->id, event->project, rows_of_id, places);
    }
    if (event->acknowledged && rows_of_id == 0)
      return fmt::format("id {} of project {} was acknowledged at {} and has no row", event->id, event->project,
                         places_of(*event));
  }
  return {};
}

}  // namespace weir::simulation
