#include "weir/transfer/importer.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>
#include <condition_variable>
#include <cstring>
#include <mutex>

#include "weir/base/logging.h"
#include "weir/event/record.h"

namespace weir::transfer {

namespace {
constexpr size_t kSealsMax = 32 * 1024;  // about 12 MB
constexpr uint64_t kRecoverBytes = 4 * MiB;
constexpr std::string_view kCoveredTitle = "weir-imports 1";
// Records that the ledgers must know; seen before they are parsed.
constexpr std::string_view kProtocols[] = {R"("protocol":"access-log")", R"("protocol":"seed")"};
constexpr uint64_t kSeedSlice = 16 * 1024;

bool is_address(const std::string& text) {
  unsigned char bytes[sizeof(in6_addr)];
  return inet_pton(AF_INET, text.c_str(), bytes) == 1 || inet_pton(AF_INET6, text.c_str(), bytes) == 1;
}
}  // namespace

// The batches of one chunk that are on their way into the journal. Shared with the journal's thread, which may answer
// after this thread gave up on the chunk.
struct Importer::Pending {
  struct Batch {
    std::vector<LineIdentity> lines;
    bool answered = false;
    Result<journal::Appended> outcome = journal::Appended{};
  };
  struct Shared {
    std::mutex mutex;  // guards batches' answered and outcome
    std::condition_variable answered;
    std::vector<std::unique_ptr<Batch>> batches;
  };

  Pending(journal::Writer& w, std::chrono::steady_clock::time_point d) : writer(w), deadline(d) {}

  journal::Writer& writer;
  const std::chrono::steady_clock::time_point deadline;
  std::shared_ptr<Shared> shared = std::make_shared<Shared>();
  journal::Records records;
  std::vector<LineIdentity> lines;

  void submit() {
    if (records.empty()) return;
    auto batch = std::make_unique<Batch>();
    batch->lines.swap(lines);
    Batch* held = batch.get();
    {
      std::lock_guard lock(shared->mutex);
      shared->batches.push_back(std::move(batch));
    }
    journal::Records full;
    std::swap(full, records);
    writer.append(std::move(full), deadline, [shared = shared, held](Result<journal::Appended> outcome) {
      std::lock_guard lock(shared->mutex);
      held->outcome = std::move(outcome);
      held->answered = true;
      shared->answered.notify_all();
    });
  }

  void wait() {
    std::unique_lock lock(shared->mutex);
    shared->answered.wait(lock, [&] {
      return std::all_of(shared->batches.begin(), shared->batches.end(), [](const auto& b) { return b->answered; });
    });
  }
};

Importer::Importer(FileSystem& files, Clock& clock, journal::Journal& journal, settings::Secrets& secrets,
                   metrics::Registry& registry, ImporterOptions options)
    : files_(files),
      clock_(clock),
      journal_(journal),
      secrets_(secrets),
      options_(std::move(options)),
      metrics_(registry) {}

Importer::~Importer() = default;

// The sealed text of a person, made by fill(fields) when it is not at hand.
template <class Fill>
Result<std::string_view> Importer::sealed(const settings::Project& project, UnixMillis now, uint64_t person,
                                          Fill&& fill) {
  if (seals_project_ != project.id || seals_day_ != day_of(now) || seals_.size() >= kSealsMax) {
    seals_.clear();
    seals_project_ = project.id;
    seals_day_ = day_of(now);
  }
  auto found = seals_.find(person);
  if (found != seals_.end()) return std::string_view(found->second.personal);
  settings::Personal personal;
  fill(personal);
  Seal seal;
  if (!personal.empty()) {
    auto text = secrets_.seal(project.id, now, personal);
    if (!text) return std::move(text).error();
    seal.personal = *std::move(text);
  }
  return std::string_view(seals_.emplace(person, std::move(seal)).first->second.personal);
}

Result<ImportSummary> Importer::import(const ImportChunk& chunk) {
  auto started = clock_.steady();
  auto held = ready_ledger(chunk.project.id);
  if (!held) return std::move(held).error();
  Ledger& ledger = **held;

  UnixMillis now = clock_.now();
  ImportSummary summary;
  Pending pending(journal_.writer(journal::Partition::bulk), started + options_.timeout);
  counts_.clear();
  Result<> outcome;
  auto repeat = chunk.repeats.begin();
  LogParser parser(chunk.format);
  if (!chunk.fields.empty()) parser.set_fields(chunk.fields);
  scan_lines(chunk.lines, parser, TimeWindow::at(now, chunk.project.retention_days), summary,
             [&](uint64_t index, std::string_view text, const LogLine& line) {
               while (repeat != chunk.repeats.end() && repeat->index < index) ++repeat;
               uint32_t before = repeat != chunk.repeats.end() && repeat->index == index ? repeat->before : 0;
               outcome = import_line(chunk, ledger, line, text, before, now, pending, summary);
               return outcome.has_value();
             });
  pending.submit();
  Result<> finished = finish(ledger, pending);
  if (outcome && !finished) outcome = std::move(finished);
  if (!outcome) return std::move(outcome).error();

  hold_memory(ledger);
  metrics_.imported_lines.add(summary.imported);
  metrics_.already_lines.add(summary.already);
  metrics_.skipped_lines.add(summary.skipped_lines());
  metrics_.chunk_seconds.observe(std::chrono::duration<double>(clock_.steady() - started).count());
  return summary;
}

// Keeps all ledgers together within their memory.
void Importer::hold_memory(Ledger& ledger) {
  size_t others = 0;
  for (const auto& [id, other] : ledgers_)
    if (other.get() != &ledger) others += other->memory_bytes();
  ledger.forget(options_.ledger_bytes_max - std::min(others, options_.ledger_bytes_max));
  metrics_.ledger_bytes.set(static_cast<double>(others + ledger.memory_bytes()));
}

Result<> Importer::import_line(const ImportChunk& chunk, Ledger& ledger, const LogLine& line, std::string_view text,
                               uint32_t before, UnixMillis now, Pending& pending, ImportSummary& summary) {
  // What is left out is not noted: with other rules it may be taken later.
  const event::Event* made = nullptr;
  if (chunk.rules.may_skip()) {
    made = &events_.make(line, chunk.rules);
    if (auto skip = events_.skip(chunk.rules)) {
      summary.skip(*skip);
      return {};
    }
  }
  uint64_t hash = ledger.salt().line(text);
  LineCounts::Entry& count = counts_.entry(hash);
  if (count.count == 0) count.count = before;
  LineIdentity identity{hour_of(line.time), ledger.salt().with_ordinal(hash, count.count++)};
  auto fresh = ledger.claim(identity);
  if (!fresh) return std::move(fresh).error();
  if (!*fresh) {
    ++summary.already;
    summary.saw(line.time);
    return {};
  }
  pending.lines.push_back(identity);

  uint64_t person = ledger.salt().visitor(day_of(line.time), line.client, line.user_agent);
  auto personal = sealed(chunk.project, now, person, [&](settings::Personal& fields) {
    address_.assign(line.client);
    if (!is_address(address_)) address_.clear();
    user_agent_.clear();
    append_field(line, line.user_agent, user_agent_);
    fields.ip = address_;
    fields.user_agent = user_agent_;
  });
  if (!personal) {
    ledger.unclaim({&identity, 1});
    pending.lines.pop_back();
    return std::move(personal).error();
  }
  event::Event event = made != nullptr ? *made : events_.make(line, chunk.rules);
  std::string id = identity.id();
  event.project_id = chunk.project.id;
  event.id = id;
  event.received_at = now;
  event.visitor = event.user_id.empty() ? person : 0;
  event.personal = *personal;
  std::string& record = pending.records.begin();
  size_t size = record.size();
  event::append_record(event, record);
  if (record.size() - size > options_.record_bytes_max) {
    pending.records.cancel();
    ledger.unclaim({&identity, 1});
    pending.lines.pop_back();
    summary.skip(Skip::too_long);
    return {};
  }
  pending.records.end();
  ++summary.imported;
  if (event.kind == event::Kind::pageview) ++summary.pageviews;
  summary.saw(line.time);
  if (pending.records.bytes().size() >= options_.append_bytes) pending.submit();
  return {};
}

Result<SeedProgress> Importer::seed(const settings::Project& project, const SeedPlan& plan) {
  UnixMillis now = clock_.now();
  if (auto checked = plan.check(day_of(now)); !checked) return std::move(checked).error();
  auto held = ready_ledger(project.id);
  if (!held) return std::move(held).error();
  Ledger& ledger = **held;

  auto at = std::find_if(seedings_.begin(), seedings_.end(),
                         [&](const Seeding& s) { return s.project == project.id && s.key == plan.key(); });
  if (at == seedings_.end()) {
    UnixMillis oldest = TimeWindow::at(now, project.retention_days).oldest_kept;
    if (plan.begin() < oldest)
      return Error{
          ErrorCode::kBadInput,
          fmt::format("seed: project {} keeps events for {} days: --days {} with this --end would begin before "
                      "that; at most {}",
                      project.name, project.retention_days, plan.days,
                      std::max<int64_t>((plan.end() - oldest) / kMillisPerDay, 0))};
    if (seedings_.size() >= kSeedsMax)
      return Error{ErrorCode::kOverloaded, fmt::format("seed: {} others are under way", kSeedsMax)};
    seedings_.push_back({project.id, plan.key(), SeedHistory(plan), {plan.events, 0, 0, 0}});
    at = std::prev(seedings_.end());
  }
  // Asked before any event is taken: what is refused later has to begin anew.
  journal::Writer& writer = journal_.writer(journal::Partition::bulk);
  if (writer.full()) return Error{ErrorCode::kOverloaded, "seed: the journal has no room"};

  SeedProgress progress = at->progress;
  Pending pending(writer, clock_.steady() + options_.timeout);
  Result<> outcome;
  for (uint64_t i = 0; i < kSeedSlice && outcome; ++i) {
    const SeededEvent* event = at->history.next();
    if (event == nullptr) break;
    outcome = seed_event(project, ledger, *event, now, pending, progress);
  }
  pending.submit();
  Result<> finished = finish(ledger, pending);
  if (outcome && !finished) outcome = std::move(finished);
  if (!outcome) {
    seedings_.erase(at);
    return std::move(outcome).error();
  }
  hold_memory(ledger);
  metrics_.seeded_events.add(progress.seeded - at->progress.seeded);
  progress.done = at->history.position();
  at->progress = progress;
  if (progress.done == progress.events) seedings_.erase(at);
  return progress;
}

Result<> Importer::seed_event(const settings::Project& project, Ledger& ledger, const SeededEvent& seeded,
                              UnixMillis now, Pending& pending, SeedProgress& progress) {
  auto fresh = ledger.claim(seeded.identity);
  if (!fresh) return std::move(fresh).error();
  if (!*fresh) {
    ++progress.already;
    return {};
  }
  auto personal = sealed(project, now, seeded.sender, [&](settings::Personal& fields) {
    fields.ip = seeded.address;
    fields.user_agent = seeded.user_agent;
  });
  if (!personal) {
    ledger.unclaim({&seeded.identity, 1});
    return std::move(personal).error();
  }
  pending.lines.push_back(seeded.identity);
  event::Event event = seeded.event;
  std::string id = seeded.identity.id();
  event.project_id = project.id;
  event.id = id;
  event.received_at = now;
  event.personal = *personal;
  event::append_record(event, pending.records.begin());
  pending.records.end();
  ++progress.seeded;
  if (pending.records.bytes().size() >= options_.append_bytes) pending.submit();
  return {};
}

std::string SeedProgress::to_json() const {
  return fmt::format(R"({{"events":{},"done":{},"seeded":{},"already":{}}})", events, done, seeded, already);
}

Result<SeedProgress> SeedProgress::parse(std::string_view json) {
  try {
    boost::json::value value = boost::json::parse(boost::json::string_view(json.data(), json.size()));
    const boost::json::object& o = value.as_object();
    return SeedProgress{o.at("events").to_number<uint64_t>(), o.at("done").to_number<uint64_t>(),
                        o.at("seeded").to_number<uint64_t>(), o.at("already").to_number<uint64_t>()};
  } catch (const std::exception& e) {
    return Error{ErrorCode::kCorrupt, fmt::format("transfer: not a seed's progress: {}", e.what())};
  }
}

// Waits for the journal and puts into the ledger what it took.
Result<> Importer::finish(Ledger& ledger, Pending& pending) {
  pending.wait();
  Result<> outcome;
  for (const auto& batch : pending.shared->batches) {
    if (!batch->outcome) continue;
    if (auto written = ledger.write(batch->lines); !written) {
      doubt();
      return written;
    }
  }
  for (const auto& batch : pending.shared->batches) {
    if (batch->outcome) continue;
    ErrorCode code = batch->outcome.error().code;
    // Refused for sure. After any other failure the records may be there all the same.
    if (code != ErrorCode::kOverloaded && code != ErrorCode::kTimeout && code != ErrorCode::kTooLarge) {
      outcome = batch->outcome.error();
      doubt();
      return outcome;
    }
    ledger.unclaim(batch->lines);
    if (outcome) outcome = batch->outcome.error();
  }
  return outcome;
}

Result<Ledger*> Importer::ready_ledger(ProjectId project) {
  if (!recovered_ || left_out_.count(project) > 0) {
    if (auto recovered = recover(); !recovered) return std::move(recovered).error();
  }
  return ledger(project);
}

Result<Ledger*> Importer::ledger(ProjectId project) {
  auto found = ledgers_.find(project);
  if (found != ledgers_.end()) return found->second.get();
  if (auto made = files_.make_directory(options_.directory); !made) return std::move(made).error();
  auto opened = Ledger::open(files_, options_.directory + "/" + to_string(project));
  if (!opened) return std::move(opened).error();
  return ledgers_.emplace(project, *std::move(opened)).first->second.get();
}

void Importer::doubt() {
  ledgers_.clear();
  recovered_ = false;
}

// DATA/imports/covered: the journal and the position in its bulk partition below which every imported line stands in
// the ledgers. Another journal: from its begin.
Result<> Importer::read_covered(journal::Offset& from) {
  from = 0;
  auto text = read_file(files_, options_.directory + "/covered", 4 * KiB);
  if (!text && text.error().code == ErrorCode::kNotFound) return {};
  if (!text) return std::move(text).error();
  std::string head = fmt::format("{}\n{} ", kCoveredTitle, to_hex(journal_.uuid()));
  if (!text->starts_with(head)) {
    log::warning("transfer: {}/covered is of another journal: reading this one from its begin", options_.directory);
    return {};
  }
  std::string_view number = std::string_view(*text).substr(head.size());
  auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), from);
  if (error != std::errc() || end == number.data() + number.size() || *end != '\n') {
    log::warning("transfer: {}/covered is damaged: reading the journal from its begin", options_.directory);
    from = 0;
  }
  return {};
}

Result<> Importer::write_covered(journal::Offset next) {
  if (!left_out_.empty()) next = std::min(next, left_out_from_);
  if (next == covered_) return {};
  if (auto made = files_.make_directory(options_.directory); !made) return made;
  std::string text = fmt::format("{}\n{} {}\n", kCoveredTitle, to_hex(journal_.uuid()), next);
  if (auto written = replace_file(files_, options_.directory + "/covered", text); !written) return written;
  covered_ = next;
  return {};
}

Result<> Importer::recover() {
  ledgers_.clear();
  left_out_.clear();
  journal::Offset at = 0;
  if (auto read = read_covered(at); !read) return read;
  journal::PartitionInfo info = journal_.info(journal::Partition::bulk);
  if (at != 0 && at < info.begin)
    log::warning(
        "transfer: the journal begins at {}, behind {} up to which imported lines are known; files imported "
        "in between might count again",
        info.begin, at);
  auto reader = journal_.reader(journal::Partition::bulk);
  journal::Offset end = journal_.writer(journal::Partition::bulk).end();
  covered_ = at;
  uint64_t bytes = 0;
  while (at < end) {
    if (ending_.load()) return Error{ErrorCode::kUnavailable, "transfer: closing before the ledgers were complete"};
    auto batch = reader->read(at, kRecoverBytes, std::chrono::milliseconds(0));
    if (!batch && batch.error().code == ErrorCode::kCorrupt) {
      info = journal_.info(journal::Partition::bulk);
      auto damage = std::find_if(info.damaged.begin(), info.damaged.end(),
                                 [&](const journal::Damage& d) { return d.next > at && d.first <= at; });
      if (damage == info.damaged.end()) return std::move(batch).error();
      at = damage->next;
      continue;
    }
    if (!batch) return std::move(batch).error();
    if (batch->next <= at) break;
    if (auto taken = recover_records(*batch); !taken) {
      doubt();
      return taken;
    }
    at = batch->next;
    for (const journal::Record& record : batch->records) bytes += record.bytes.size();
    if (bytes < 64 * kRecoverBytes) continue;
    bytes = 0;
    for (auto& [project, ledger] : ledgers_) {
      if (auto synced = ledger->sync(); !synced) return synced;
      ledger->forget(options_.ledger_bytes_max / ledgers_.size());
    }
    if (auto written = write_covered(at); !written) return written;
  }
  recovered_ = true;
  return checkpoint();
}

Result<> Importer::recover_records(const journal::Batch& batch) {
  event::RecordParser parser;
  std::unordered_map<ProjectId, std::vector<LineIdentity>> missing;
  for (const journal::Record& record : batch.records) {
    if (std::none_of(std::begin(kProtocols), std::end(kProtocols),
                     [&](std::string_view p) { return record.bytes.find(p) != std::string_view::npos; }))
      continue;
    auto event = parser.parse(record.bytes);
    LineIdentity identity;
    bool ours = event && (event->protocol == "access-log" || event->protocol == kSeedProtocol);
    if (!ours || !LineIdentity::parse(event->id, event->time, identity)) continue;
    auto held = ledger(event->project_id);
    if (!held) {
      if (held.error().code != ErrorCode::kCorrupt) return std::move(held).error();
      // One project's damaged ledger must not keep the others from importing; its own imports fail with this error.
      if (left_out_.empty()) left_out_from_ = batch.first;
      if (left_out_.insert(event->project_id).second) log::error("{}", held.error().message);
      continue;
    }
    if ((*held)->is_new() && missing.find(event->project_id) == missing.end() && (*held)->memory_bytes() == 0)
      log::warning(
          "transfer: the journal has imported lines of project {}, but its ledger and salt are gone: the "
          "same files imported again will count again",
          to_string(event->project_id));
    auto fresh = (*held)->claim(identity);
    if (!fresh) return std::move(fresh).error();
    if (*fresh) missing[event->project_id].push_back(identity);
  }
  for (const auto& [project, lines] : missing)
    if (auto written = ledgers_.at(project)->write(lines); !written) return written;
  return {};
}

Result<> Importer::checkpoint() {
  if (!recovered_) return {};
  // Everything appended by this thread is in the ledgers; what others append from here on is at `end` or behind it.
  journal::Offset end = journal_.writer(journal::Partition::bulk).end();
  for (auto& [project, ledger] : ledgers_) {
    if (auto synced = ledger->sync(); !synced) {
      doubt();
      return synced;
    }
  }
  return write_covered(end);
}

Result<> Importer::rest() {
  if (auto made = checkpoint(); !made) return made;
  ledgers_.clear();
  seedings_.clear();
  seals_ = {};
  counts_ = {};
  metrics_.ledger_bytes.set(0);
  return {};
}

}  // namespace weir::transfer
