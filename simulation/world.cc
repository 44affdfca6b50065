#include "simulation/world.h"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "simulation/process_store.h"
#include "simulation/scheduler.h"
#include "weir/base/logging.h"
#include "weir/base/random.h"
#include "weir/base/testing/fake_files.h"
#include "weir/base/watchdog.h"
#include "weir/collect/testing/fake_secrets.h"
#include "weir/enrich/visits.h"
#include "weir/event/record.h"
#include "weir/journal/open.h"
#include "weir/load/loader.h"
#include "weir/settings/testing/memory_repository.h"

namespace weir::simulation {

namespace {
using journal::Partition;
using std::chrono::milliseconds;
using std::chrono::steady_clock;
using store::testing::FakeStore;
using store::testing::StoredRow;
using weir::testing::FakeFiles;
using Cut = FakeFiles::Cut;

constexpr std::array kPartitions = {Partition::live, Partition::bulk};
constexpr std::string_view kJournal = "journal";
constexpr auto kAnswer = std::chrono::seconds(10);
constexpr auto kLoaded = std::chrono::minutes(10);
constexpr std::string_view kPoison = "poison";

Scheduler& scheduler() { return *Scheduler::current(); }
uint64_t below(uint64_t bound) { return scheduler().random() % bound; }
uint64_t between(uint64_t least, uint64_t most) { return least + below(most - least + 1); }
bool chance(double probability) { return scheduler().chance(probability); }
std::string numbered(std::string_view what, uint64_t number) { return std::string(what) += std::to_string(number); }
void pause(std::chrono::microseconds how_long) { std::this_thread::sleep_for(how_long); }

// The wall clock of one process, ahead of the machine's by what was set, never running backwards.
class WallClock final : public Clock {
 public:
  UnixMillis now() override {
    const auto wall = std::chrono::system_clock::now().time_since_epoch();
    last_ = std::max(last_, std::chrono::duration_cast<milliseconds>(wall).count() + ahead);
    return last_;
  }
  steady_clock::time_point steady() override { return steady_clock::now(); }

  UnixMillis ahead = 0;

 private:
  UnixMillis last_ = 0;
};

// How one life goes.
struct Plan {
  enum class End : uint8_t { stop, kill, power_cut };
  End end = End::stop;
  Cut cut = Cut::all;
  bool loaded_first = false;
  bool lying_disk = false;
  bool slow_disk = false;
  uint64_t die_at = 0;    // the changing call with which the process dies; 0: not so
  uint64_t capacity = 0;  // of the disk for a while; 0: plenty
  double store_trouble = 0;
  uint64_t clients = 0;
  uint64_t requests = 0;  // of each client
};

// The parts of one weir process, in the order of their making.
struct Process {
  explicit Process(metrics::Registry& r) : registry(r) {}
  metrics::Registry& registry;
  WallClock clock;
  std::unique_ptr<ProcessStore> store;
  std::unique_ptr<settings::testing::MemoryRepository> settings;
  collect::testing::FakeSecrets secrets;
  std::unique_ptr<journal::Journal> journal;
  std::array<std::unique_ptr<load::Outcomes>, 2> outcomes;
  std::unique_ptr<load::Dedup> dedup;
  std::unique_ptr<load::VisitHealer> healer;
  std::array<std::unique_ptr<load::Loader>, 2> loaders;
};

class World {
 public:
  World(bool narrate, metrics::Registry& registry) : narrate_(narrate), registry_(registry) {}

  void run();
  Verdict verdict;

 private:
  template <class... Args>
  void tell(fmt::format_string<Args...> format, Args&&... args) {
    if (narrate_) log::write(log::Level::info, "--- " + fmt::format(format, std::forward<Args>(args)...));
  }
  Plan plan_life();
  void live(const Plan& plan);
  void spoil_disk(const Plan& plan);
  Result<> open(Process& process);
  void trouble_store(const Plan& plan, const bool& over);
  void be_client(Process& process, uint64_t requests);
  SentEvent& new_event(UnixMillis now);
  std::vector<SentEvent*> next_request(UnixMillis now);
  bool all_loaded(Process& process, std::chrono::nanoseconds how_long);
  void end_life(Process& process, const Plan& plan);
  void rot();
  void note_rot(const Process& process);
  void last_life();
  Oracle::Found find(Process& process, Partition partition);
  std::string judge_visits();
  bool dead() const { return files_.died(); }
  // Else the store alone has what was loaded.
  bool keeps_all() const { return journal_options_.keep > std::chrono::seconds(0); }

  const bool narrate_;
  FakeFiles files_;
  FakeStore store_;
  Oracle oracle_;
  metrics::Registry& registry_;
  journal::Options journal_options_;
  load::Options load_options_;
  load::Dedup::Options dedup_options_;
  uint64_t names_ = 0;
  uint64_t ids_ = 0;
  bool rotten_ = false;
  bool late_ = false;     // events come late
  bool damaged_ = false;  // at any time
};

void World::run() {
  journal_options_.segment_bytes = between(12, 40) * KiB;
  journal_options_.group_bytes_max = between(1, 16) * KiB;
  journal_options_.group_records_max = between(1, 40);
  journal_options_.queue_bytes = 64 * KiB;
  journal_options_.compression = std::array{"none", "lz4", "zstd"}[chance(0.1) ? 2 : below(2)];
  journal_options_.keep = std::chrono::seconds(chance(0.3) ? 0 : 100 * 86'400);
  journal_options_.free_percent_min = 0;
  load_options_.batch_rows = between(1, 60);
  load_options_.batch_age = milliseconds(between(5, 100));
  load_options_.retry_pause_max = milliseconds(between(50, 500));
  load_options_.nice = 0;
  dedup_options_.recent_max = between(4, 40);
  dedup_options_.merge_at = between(2, 4);
  late_ = chance(0.3);
  store_.refuse_rows([](const StoredRow& row) { return row.text("name").starts_with(kPoison); });
  const uint64_t lives = std::array{1, 1, 1, 2, 2, 3}[below(6)];
  for (uint64_t i = 0; i < lives; ++i) {
    const Plan plan = plan_life();
    live(plan);
    damaged_ = damaged_ || plan.lying_disk;  // the list of visits to put right is gone with it
    if (plan.lying_disk) break;
    if (keeps_all() && oracle_.acknowledgements() > 0 && chance(0.07)) rot();
  }
  last_life();
  verdict.counts = oracle_.counts();
}

Plan World::plan_life() {
  Plan plan;
  const uint64_t end = below(10);
  plan.end = end < 2 ? Plan::End::stop : end < 5 ? Plan::End::kill : Plan::End::power_cut;
  plan.cut = std::array{Cut::nothing, Cut::all, Cut::prefix, Cut::some}[below(4)];
  if (chance(0.03)) {
    plan.lying_disk = true;
    plan.end = Plan::End::power_cut;
    plan.cut = Cut::nothing;
  }
  plan.loaded_first = chance(0.2);
  plan.slow_disk = chance(0.1);
  if (chance(0.5)) plan.die_at = between(1, chance(0.5) ? 40 : 250);
  if (chance(0.1)) plan.capacity = between(20, 200) * KiB;
  plan.store_trouble = chance(0.5) ? 0 : 0.3;
  plan.clients = between(1, 3);
  plan.requests = between(1, 5);
  return plan;
}

Result<> World::open(Process& process) {
  process.store = std::make_unique<ProcessStore>(store_, [this] { return dead(); });
  process.settings = std::make_unique<settings::testing::MemoryRepository>(process.clock);
  auto journal = journal::open(files_, process.clock, process.registry, std::string(kJournal), journal_options_);
  if (!journal) return std::move(journal).error();
  process.journal = *std::move(journal);
  note_rot(process);
  for (size_t i = 0; i < 2; ++i) {
    auto outcomes = load::Outcomes::open(files_, "outcomes", process.journal->uuid(), kPartitions[i]);
    if (!outcomes) return std::move(outcomes).error();
    process.outcomes[i] = *std::move(outcomes);
  }
  auto dedup = load::Dedup::open(files_, "dedup", process.journal->uuid(), dedup_options_);
  if (!dedup) return std::move(dedup).error();
  process.dedup = *std::move(dedup);
  auto healer =
      load::VisitHealer::open(files_, "outcomes", process.journal->uuid(), {*process.store, process.registry});
  if (!healer) return std::move(healer).error();
  process.healer = *std::move(healer);
  for (size_t i = 0; i < 2; ++i) {
    process.loaders[i] =
        std::make_unique<load::Loader>(load_options_,
                                       load::Dependencies{*process.journal,
                                                          *process.store,
                                                          *process.settings,
                                                          process.secrets,
                                                          {process.outcomes[0].get(), process.outcomes[1].get()},
                                                          *process.dedup,
                                                          *process.healer,
                                                          nullptr,
                                                          process.clock,
                                                          process.registry},
                                       kPartitions[i], nullptr);
    process.loaders[i]->start();
  }
  process.healer->start();
  return {};
}

void World::spoil_disk(const Plan& plan) {
  if (plan.die_at > 0) files_.die_at(plan.die_at);
  if (chance(0.25)) {
    using Call = FakeFiles::Call;
    constexpr std::array kCalls = {Call::open,      Call::rename, Call::remove,   Call::sync_directory, Call::read,
                                   Call::sync_data, Call::sync,   Call::truncate, Call::zero,           Call::write};
    const Call call = kCalls[below(kCalls.size())];
    const uint64_t nth = between(1, 60);
    const bool no_space = (call == Call::write || call == Call::zero || call == Call::rename) && chance(0.5);
    const ErrorCode code = no_space ? ErrorCode::kOverloaded : ErrorCode::kUnavailable;
    tell("call {} of {} will fail", nth, FakeFiles::name_of(call));
    files_.fail(call, nth, code);
  }
  if (plan.capacity > 0) files_.set_capacity(files_.used_bytes() + plan.capacity);
  if (plan.slow_disk)
    files_.on_call([](FakeFiles::Call call, const std::string&) -> std::optional<Error> {
      if (call == FakeFiles::Call::sync_data) pause(milliseconds(below(400)));
      return std::nullopt;
    });
}

// What befalls the store while the process lives.
void World::trouble_store(const Plan& plan, const bool& over) {
  if (plan.store_trouble == 0) return;
  store_.before_insert([this, &plan](const store::Block&, std::string_view) {
    if (chance(0.3)) pause(milliseconds(below(200)));
    if (!chance(plan.store_trouble)) return;
    using Left = FakeStore::Left;
    switch (below(4)) {
      case 0:
        return store_.fail_inserts(1, {ErrorCode::kTimeout, "store: no answer"}, Left::everything);
      case 1:
        return store_.fail_inserts(1, {ErrorCode::kUnavailable, "store: no memory"}, Left::nothing);
      case 2:
        return store_.fail_inserts(1, {ErrorCode::kUnavailable, "store: gone"}, Left::half);
      default:
        return store_.restart();
    }
  });
  while (!over) {
    pause(milliseconds(between(1, 300)));
    if (over) break;
    if (chance(0.3)) {
      tell("the store is away");
      store_.set_away(true);
      pause(milliseconds(between(1, 500)));
      if (chance(0.5)) store_.restart();
      store_.set_away(false);
    } else if (keeps_all() && chance(0.2)) {
      tell("the store lost parts");
      const uint64_t modulus = between(1, 4);
      store_.lose_rows([&](const StoredRow& row) { return row.o / 16 % modulus == 0; });
      store_.restart();
    }
  }
}

SentEvent& World::new_event(UnixMillis now) {
  SentEvent sent;
  sent.project = between(1, 2);
  sent.name = numbered("e", ++names_);
  if (chance(0.03)) {
    sent.nature = Nature::garbage;
    sent.record = "no event: " + sent.name;
    return oracle_.add(std::move(sent));
  }
  if (chance(0.01)) {
    sent.nature = Nature::poisoned;
    sent.name = numbered(kPoison, names_);
  } else if (chance(0.6)) {
    // Sometimes an id that was there, with other content.
    sent.id = numbered("id", ids_ > 0 && chance(0.05) ? between(1, ids_) : ++ids_);
  }
  event::Event event;
  event.project_id = ProjectId{sent.project};
  event.id = sent.id;
  event.id_given = !sent.id.empty();
  event.name = sent.name;
  const std::string user = numbered("u", between(1, 3));
  event.user_id = user;
  event.protocol = "native";
  event.received_at = now;
  // Late, now and then, by what matters to visits: moments, less or more than their silence, days, months.
  constexpr std::array<UnixMillis, 4> kLate = {1000, 40 * 60'000, 2 * kMillisPerDay, 40 * kMillisPerDay};
  event.time = late_ && chance(0.3) ? now - static_cast<UnixMillis>(between(0, kLate[below(kLate.size())])) : now;
  if (chance(0.8)) event.time_rule = event::TimeRule::client;
  event.kind = std::array{event::Kind::pageview, event::Kind::event, event::Kind::engagement}[below(3)];
  const std::string path = numbered("/", below(5));
  event.path = path;
  const std::string client_session = numbered("s", below(2));
  if (chance(0.2)) event.client_session_id = client_session;
  const std::string title(chance(0.05) ? between(1, 6000) : between(1, 200), 't');
  event.title = title;
  constexpr size_t kRoom = 300;  // for all but the title
  sent.record.reserve(kRoom + title.size());
  event::append_record(event, sent.record);
  return oracle_.add(std::move(sent));
}

std::vector<SentEvent*> World::next_request(UnixMillis now) {
  std::vector<SentEvent*> events;
  for (uint64_t left = chance(0.1) ? between(10, 30) : between(1, 5); left > 0; --left) {
    const auto& before = oracle_.with_ids();
    events.push_back(!before.empty() && chance(0.2) ? before[below(before.size())] : &new_event(now));
  }
  return events;
}

void World::be_client(Process& process, uint64_t requests) {
  std::vector<SentEvent*> events;
  for (; requests > 0 && !dead(); --requests) {
    pause(std::chrono::microseconds(chance(0.1) ? between(1, 1'500'000) : between(1, 20'000)));
    if (events.empty()) events = next_request(process.clock.now());
    journal::Records records;
    for (const SentEvent* event : events) records.add(event->record);
    const Partition partition = chance(0.8) ? Partition::live : Partition::bulk;
    const auto deadline = steady_clock::now() + (chance(0.05) ? milliseconds(below(50)) : milliseconds(kAnswer));
    auto appended = journal::append_and_wait(process.journal->writer(partition), std::move(records), deadline);
    if (dead()) {  // nobody hears the answer
      for (SentEvent* event : events) event->refused = true;
      return;
    }
    if (appended) {
      oracle_.acknowledged(partition, events, appended->first);
      tell("{} events acknowledged at {}:{}", events.size(), journal::name_of(partition), appended->first);
    } else {
      tell("{} events refused: {}", events.size(), appended.error().message);
      for (SentEvent* event : events) event->refused = true;
      // Whoever gave ids sends them again; without, nobody knows whether they were taken.
      std::erase_if(events, [](const SentEvent* event) { return event->id.empty(); });
      if (!events.empty()) continue;
    }
    events.clear();
  }
}

bool World::all_loaded(Process& process, std::chrono::nanoseconds how_long) {
  const auto until = steady_clock::now() + how_long;
  auto done = [&] {
    return std::all_of(process.loaders.begin(), process.loaders.end(), [](const auto& loader) {
      const load::Progress progress = loader->progress();
      return progress.reconciled && progress.loaded == progress.end;
    });
  };
  while (!dead() && !done()) {
    if (steady_clock::now() > until) return false;
    pause(milliseconds(20));
  }
  return !dead();
}

void World::live(const Plan& plan) {
  ++verdict.lives;
  const size_t before = oracle_.acknowledgements();
  spoil_disk(plan);
  files_.set_lying(plan.lying_disk);
  {
    Process process(registry_);
    if (chance(0.1)) process.clock.ahead = static_cast<UnixMillis>(between(0, 4 * 3'600'000)) - 2 * 3'600'000;
    auto opened = open(process);
    bool over = false;
    std::thread weather([&] { trouble_store(plan, over); });
    if (opened) {
      std::vector<std::thread> clients;
      for (uint64_t i = 0; i < plan.clients; ++i) clients.emplace_back([&] { be_client(process, plan.requests); });
      for (std::thread& client : clients) client.join();
      if (plan.loaded_first) all_loaded(process, std::chrono::seconds(5));
    } else {
      tell("not opened: {}", opened.error().message);
    }
    over = true;
    if (plan.end != Plan::End::stop) files_.die_at(1 + below(20));
    weather.join();
    end_life(process, plan);
  }
  store_.before_insert(nullptr);
  store_.fail_inserts(0, {ErrorCode::kUnavailable, ""});
  files_.set_lying(false);
  if (plan.lying_disk) oracle_.disk_lied_since(before);
}

// A bit of a file flips. Behind what every segment begins with: a journal whose own head is damaged may say so and
// wait.
void World::rot() {
  std::vector<std::string> candidates;
  for (const std::string& path : files_.paths()) {
    const bool segment = path.starts_with(kJournal) && path.ends_with(".seg");
    const bool ids = path.starts_with("dedup/ids-");
    if (segment || ids) candidates.push_back(path);
  }
  if (candidates.empty()) return;
  const std::string& path = candidates[below(candidates.size())];
  const size_t size = files_.content(path)->size();
  const size_t head = path.starts_with(kJournal) ? 4 * KiB : 0;
  // Most of a segment is still zeros.
  const size_t frames = chance(0.7) ? std::min(size, head + 4 * KiB) : size;
  if (frames <= head) return;
  const size_t position = between(head, frames - 1);
  tell("{} rots at {}", path, position);
  files_.flip(path, position, static_cast<uint8_t>(1U << below(8)));
  rotten_ = damaged_ = true;
}

// What stood in the last group of a segment may have been taken for one that was never acknowledged.
void World::note_rot(const Process& process) {
  for (Partition partition : kPartitions) {
    const journal::PartitionInfo info = process.journal->info(partition);
    for (const journal::Damage& damage : info.damaged) oracle_.lost(partition, {damage.first, damage.next});
    if (rotten_) oracle_.lost(partition, {info.end, UINT64_MAX});
  }
  rotten_ = false;
}

void World::end_life(Process& process, const Plan& plan) {
  if (plan.end == Plan::End::stop && process.journal && !dead()) {
    tell("a clean stop");
    for (auto& loader : process.loaders)
      if (loader) loader->stop();
    if (process.healer) process.healer->stop();
    if (process.dedup) (void)process.dedup->checkpoint();
    (void)process.journal->close();
  }
  if (plan.end != Plan::End::stop) files_.die_now();
  for (auto& loader : process.loaders) loader.reset();
  process.healer.reset();
  process.dedup.reset();
  process.journal.reset();
  if (plan.end == Plan::End::power_cut) {
    tell("a power cut");
    files_.power_cut(plan.cut, scheduler().random());
  } else {
    tell("the process is gone");
    files_.kill();
  }
  store_.restart();
}

// What the journal and the loaders say of a partition in the end.
Oracle::Found World::find(Process& process, Partition partition) {
  Oracle::Found found;
  const journal::PartitionInfo info = process.journal->info(partition);
  auto rows = store_.journals();
  for (const store::JournalRow& row : *rows)
    if (row.key.uuid == process.journal->uuid() && row.key.partition == static_cast<uint16_t>(partition))
      found.numbers.insert(row.p);
  auto reader = process.journal->reader(partition);
  for (journal::Offset at = info.begin; at < info.end;) {
    auto read = reader->read(at, 64 * KiB, milliseconds(0));
    if (!read && read.error().code == ErrorCode::kCorrupt) continue;  // seen for the first time
    if (!read) {
      verdict.problem = "the last life cannot read its journal: " + read.error().message;
      return found;
    }
    for (const journal::Record& record : read->records) found.records.emplace(record.offset, record.bytes);
    if (read->next <= at) break;
    at = read->next;
  }
  for (const journal::Damage& damage : process.journal->info(partition).damaged)
    found.damaged.push_back({damage.first, damage.next});
  load::Outcomes& outcomes = *process.outcomes[static_cast<size_t>(partition)];
  auto decisions = outcomes.latest();
  if (!decisions) {
    verdict.problem = "the last life cannot read its outcomes: " + decisions.error().message;
    return found;
  }
  for (const load::Outcomes::Decision& decision : *decisions)
    if (decision.outcome != load::Outcome::row && found.records.contains(decision.offset))
      found.outcomes.emplace(decision.offset, decision.outcome);
  if (auto letters = outcomes.dead_letters()) found.dead_letters = *std::move(letters);
  found.begin = info.begin;
  for (const auto& [offset, outcome] : found.outcomes)
    tell("{}:{} is settled: {}", journal::name_of(partition), offset, load::name_of(outcome));
  return found;
}

// Every row's visit, worked out from the rows alone.
std::string World::judge_visits() {
  std::map<uint64_t, std::set<uint64_t>> visitors;
  store_.look([&](const std::vector<StoredRow>& rows) {
    for (const StoredRow& row : rows) visitors[row.project_id].insert(row.visitor_id);
  });
  std::string problem;
  for (const auto& [project, some] : visitors) {
    const std::vector<uint64_t> all(some.begin(), some.end());
    uint64_t stream = 0;
    enrich::VisitState state;
    std::string previous;
    auto judge = [&](const store::VisitRow& row) {
      const uint64_t its = enrich::stream_of(row.project_id, row.visitor_id, row.client_session_id);
      if (its != stream) state = {};
      stream = its;
      enrich::VisitEvent event{row.project_id,
                               row.visitor_id,
                               row.client_session_id,
                               row.time,
                               row.hash,
                               row.kind,
                               row.path,
                               {row.source, row.channel, row.campaign}};
      const event::VisitColumns facts = enrich::advance(state, event, its, previous);
      if (problem.empty() && (facts.session_id != row.session_id || facts.seq != row.visit_seq ||
                              facts.gap_ms != row.visit_gap_ms || facts.bounce != row.visit_bounce ||
                              facts.entry_path != row.entry_path || facts.previous_path != row.previous_path))
        problem = fmt::format("the row {}:{} is event {} of visit {:x}, and should be event {} of visit {:x}", row.p,
                              row.o, row.visit_seq, row.session_id, facts.seq, facts.session_id);
    };
    if (auto read = store_.visit_rows(ProjectId{project}, all, INT64_MIN, INT64_MAX, judge); !read)
      return read.error().message;
  }
  return problem;
}

// No more faults: it opens, takes events, and loads all there is.
void World::last_life() {
  ++verdict.lives;
  tell("the last life");
  files_.set_capacity(1 << 30);
  files_.on_call(nullptr);
  Process process(registry_);
  auto opened = open(process);
  if (!opened) {
    verdict.problem = "the last life does not begin: " + opened.error().message;
    return;
  }
  be_client(process, 2);
  if (!all_loaded(process, kLoaded)) {
    verdict.problem = "the last life does not load everything";
  } else {
    std::array<Oracle::Found, 2> found;
    for (size_t i = 0; i < 2; ++i) found[i] = find(process, kPartitions[i]);
    store_.look([&](const std::vector<StoredRow>& rows) {
      if (verdict.problem.empty()) verdict.problem = oracle_.judge(found, rows);
    });
    if (verdict.problem.empty() && !process.healer->wait_until_healed(kLoaded))
      verdict.problem = "the last life does not put its visits right";
    if (verdict.problem.empty() && keeps_all() && !damaged_) verdict.problem = judge_visits();
  }
  for (auto& loader : process.loaders) loader.reset();
  process.healer.reset();
  if (auto closed = process.journal->close(); !closed && verdict.problem.empty())
    verdict.problem = "the last life does not end well: " + closed.error().message;
}

// --- randomness of the schedule alone, where weir wants the system's

std::mt19937_64 secret_random;
uint32_t random_word() { return static_cast<uint32_t>(secret_random()); }
void random_buffer(void* into, size_t size) {
  auto* bytes = static_cast<uint8_t*>(into);
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<uint8_t>(secret_random());
}
const char* random_name() { return "simulation"; }
}  // namespace

Verdict simulate(uint64_t seed, bool narrate, std::function<void(const std::string&)> stuck) {
  static randombytes_implementation randomness = {random_name, random_word, nullptr, nullptr, random_buffer, nullptr};
  // What is made once a process takes locks, and would make the first schedule another one.
  Watchdog::beat();
  static const bool ready = randombytes_set_implementation(&randomness) == 0 && random_u64() != random_u64();
  if (!ready) stuck("libsodium does not take our randomness");
  // Of all lives of all schedules: making one costs more than reading a journal, and nobody asks what it says.
  static metrics::Registry registry;
  constexpr uint64_t kStepsMax = 20'000'000;
  secret_random.seed(seed);
  Verdict verdict;
  Scheduler scheduler(seed, kStepsMax, std::move(stuck));
  scheduler.run([&] {
    World world(narrate, registry);
    world.run();
    verdict = world.verdict;
  });
  verdict.steps = scheduler.steps();
  verdict.trace = scheduler.trace();
  return verdict;
}

}  // namespace weir::simulation
