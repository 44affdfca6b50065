#include "weir/app/server_parts.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <optional>
#include <span>
#include <thread>

#include "weir/api/api.h"
#include "weir/api/live.h"
#include "weir/api/people.h"
#include "weir/app/about_routes.h"
#include "weir/app/clock_watch.h"
#include "weir/app/data_directory.h"
#include "weir/app/event_trace.h"
#include "weir/app/import_routes.h"
#include "weir/app/invocation.h"
#include "weir/app/replay_route.h"
#include "weir/app/status_routes.h"
#include "weir/app/system_state.h"
#include "weir/app/upkeep.h"
#include "weir/base/logging.h"
#include "weir/base/thread.h"
#include "weir/base/watchdog.h"
#include "weir/collect/collector.h"
#include "weir/enrich/packs.h"
#include "weir/http/server.h"
#include "weir/journal/open.h"
#include "weir/load/loader.h"
#include "weir/query/found_visits.h"
#include "weir/query/live.h"
#include "weir/query/public_schema.h"
#include "weir/query/roller.h"
#include "weir/query/sql.h"
#include "weir/query/sql_guard.h"
#include "weir/settings/open.h"
#include "weir/settings/secrets.h"
#include "weir/store/clickhouse.h"
#include "weir/store/engine/config.h"
#include "weir/store/engine/engine.h"
#include "weir/store/engine/library.h"
#include "weir/trace/live_feed.h"
#include "weir/transfer/import_thread.h"
#include "weir/web/web_routes.h"

namespace weir::app {

namespace {
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

struct Roles {
  bool collect = false;
  bool load = false;
  bool api = false;
  // The journal belongs to whoever writes or reads it; imports come through the API and write it too.
  bool journal() const { return collect || load; }
  bool store() const { return load || api; }
};

Roles roles_of(const std::vector<std::string>& names) {
  Roles roles;
  for (const std::string& name : names) {
    roles.collect = roles.collect || name == "collect";
    roles.load = roles.load || name == "load";
    roles.api = roles.api || name == "api";
  }
  return roles;
}

// How long a person's question waits for a store that is starting, and how often it looks.
constexpr seconds kStorePatience{10};
// So many times a store has to say that its tables are not whole before it is believed.
constexpr int kCorruptAnswers = 4;
constexpr milliseconds kStorePoll{50};
// How often the data packs are compared with their files.
constexpr seconds kPackPoll{2};

// The address a person on this machine would type.
std::string reachable(const std::string& bound) {
  size_t colon = bound.rfind(':');
  std::string host = bound.substr(0, colon);
  if (host == "0.0.0.0" || host == "[::]") host = "localhost";
  return "http://" + host + bound.substr(colon);
}
}  // namespace

struct ServerParts::State {
  explicit State(const Invocation& i) : invocation(i), options(i.options()), roles(roles_of(options.serve.roles)) {}

  const Invocation& invocation;
  const config::Options& options;
  const Roles roles;
  std::atomic<bool> draining{false};
  std::atomic<bool> prepared{false};                // the store's tables are there
  std::atomic<int> corrupt_answers{0};              // of the store, one behind the other
  std::shared_ptr<const settings::Snapshot> shown;  // whose names the store shows; of upkeep's thread

  // In the order of what they need; destroyed in the opposite one.
  SystemClock clock;
  metrics::Registry registry;
  Watchdog watchdog{options.serve.stall_timeout};
  std::optional<DataDirectory> data;
  std::unique_ptr<settings::Repository> settings;
  std::unique_ptr<settings::Secrets> secrets;
  std::unique_ptr<settings::Sealer> sealer;
  std::unique_ptr<journal::Journal> journal;
  std::unique_ptr<store::Endpoints> endpoints;
  store::engine::Engine* engine = nullptr;  // the private one, when it is that
  std::unique_ptr<store::Store> store;
  std::unique_ptr<enrich::PackStore> packs;  // filled by its own thread
  Upkeep pack_watch{"packs"};
  std::unique_ptr<load::Outcomes> live_outcomes;
  std::unique_ptr<load::Outcomes> bulk_outcomes;
  std::unique_ptr<load::Dedup> dedup;
  std::unique_ptr<load::VisitHealer> healer;
  trace::LiveFeed feed{{}, registry};
  std::unique_ptr<load::Loader> live;
  std::unique_ptr<load::Loader> bulk;
  std::unique_ptr<query::FoundVisits> found_visits;
  std::unique_ptr<query::Roller> roller;
  query::KeptAnswers kept_answers;
  std::unique_ptr<collect::Collector> collector;
  std::unique_ptr<api::Sessions> sessions;
  std::unique_ptr<api::Gate> gate;
  std::unique_ptr<api::People> people;
  std::unique_ptr<api::Api> api;
  std::unique_ptr<transfer::Importer> importer;
  std::unique_ptr<transfer::ImportThread> importing;
  std::unique_ptr<ReplayRoute> replays;
  std::unique_ptr<EventTrace> trace;
  std::unique_ptr<TraceRoute> traces;
  std::unique_ptr<api::Live> live_routes;
  std::unique_ptr<SystemState> system;
  std::unique_ptr<AboutRoutes> about;
  http::Router public_router;
  http::Router api_router;
  http::Router owner_router;
  http::Router metrics_router;
  std::unique_ptr<http::Server> server;
  ClockWatch clock_watch{registry};  // of upkeep's thread
  Upkeep upkeep{"upkeep"};
  std::string public_address;
  std::string api_address;

  Result<> open();
  Result<> open_settings();
  Result<> open_store();
  Result<> expect_known_journal();
  void watch_packs();
  Result<> start_loaders();
  void add_routes();
  void add_live_routes();
  Result<std::string> answer_schema();
  Result<> listen();
  void start_upkeep();
  std::vector<Check> checks() const;
  Result<> prepare_store();
  void show_project_names();
  Result<> wait_for_store();
  Result<> answer_sql(const api::SqlQuestion& question, const std::function<bool(std::string_view)>& sink);
  Result<std::string> answer_question(api::StatsQuestion question);
  bool announce_stop();
  int stop();
};

Result<> ServerParts::State::open() {
  auto directory = DataDirectory::open(real_files(), invocation.data_directory(), options.serve.new_journal);
  if (!directory) return std::move(directory).error();
  data.emplace(std::move(*directory));
  if (auto opened = open_settings(); !opened) return opened;
  if (roles.journal()) {
    auto opened = journal::open(real_files(), clock, registry, data->journal(), options.journal);
    if (!opened) return std::move(opened).error();
    journal = std::move(*opened);
  }
  if (roles.store())
    if (auto opened = open_store(); !opened) return opened;
  if (roles.collect)
    collector = std::make_unique<collect::Collector>(options.collect, clock, *settings, *secrets,
                                                     journal->writer(journal::Partition::live), registry);
  if (roles.load) watch_packs();
  if (auto started = start_loaders(); !started) return started;
  auto made = http::Server::open(options.http, clock, registry);
  if (!made) return std::move(made).error();
  server = std::move(*made);
  add_routes();
  if (auto bound = listen(); !bound) return bound;
  start_upkeep();
  server->start();
  return {};
}

Result<> ServerParts::State::open_settings() {
  auto opened = settings::open(data->path(), clock, options.settings);
  if (!opened) return std::move(opened).error();
  settings = std::move(*opened);
  if (std::string why = settings->degraded(); !why.empty()) log::error("settings: {}", why);
  for (const std::string& name : options.collect.projects) {
    if (settings->snapshot()->project(name) != nullptr) continue;
    auto created = settings->create_project(name);
    if (!created && created.error().code == ErrorCode::kBadInput)
      return Error{ErrorCode::kBadInput, "--projects: " + created.error().message};
    if (!created) log::error("settings: project {} could not be created: {}", name, created.error().message);
  }
  settings::SecretsOptions secret_options;
  secret_options.directory = data->secrets();
  secret_options.personal_days = static_cast<uint32_t>(options.personal.personal_days);
  auto kept = settings::open_file_secrets(real_files(), secret_options);
  if (!kept) return std::move(kept).error();
  secrets = std::move(*kept);
  auto key = settings::Sealer::open(real_files(), data->secrets());
  if (!key) return std::move(key).error();
  sealer = std::move(*key);
  if (auto sealed = settings::seal_second_factors(*settings, *sealer); !sealed)
    log::error("settings: a second factor is kept in clear until the next start: {}", sealed.error().message);
  return {};
}

Result<> ServerParts::State::open_store() {
  if (options.store.url.empty()) {
    auto library = store::engine::find_library(options.store.library);
    if (!library) return std::move(library).error();
    store::engine::EngineOptions engine_options;
    engine_options.data_directory = data->clickhouse();
    engine_options.library = *library;
    engine_options.memory_bytes = options.store.memory_bytes;
    auto started = store::engine::Engine::start(engine_options);
    if (!started) return std::move(started).error();
    engine = started->get();
    endpoints = std::move(*started);
  } else {
    auto fixed = store::fixed_endpoint(options.store);
    if (!fixed) return std::move(fixed).error();
    endpoints = std::move(*fixed);
  }
  store = std::make_unique<store::ClickHouse>(options.store, *endpoints, registry);
  return journal && !options.store.url.empty() ? expect_known_journal() : Result<>();
}

// A store that knows journals, but not ours while ours is empty: the data directory may be the wrong one.
Result<> ServerParts::State::expect_known_journal() {
  auto end = [this](journal::Partition p) { return journal->writer(p).end(); };
  if (options.serve.new_journal || end(journal::Partition::live) + end(journal::Partition::bulk) > 0) return {};
  auto known = store->journals();
  if (!known) {
    log::warning("store: cannot be asked yet which journals it knows: {}", known.error().message);
    return {};
  }
  bool ours = std::any_of(known->begin(), known->end(),
                          [this](const store::JournalRow& row) { return row.key.uuid == journal->uuid(); });
  if (known->empty() || ours) return {};
  return Error{ErrorCode::kConflict,
               fmt::format("{} holds rows of other journals, and the journal in {} is new and empty: is this the right "
                           "data directory, and is it mounted? To begin another journal beside those, start once with "
                           "--serve.new_journal true",
                           options.store.url, data->path())};
}

// Collecting never waits for packs; loading them takes a second, at a low priority.
void ServerParts::State::watch_packs() {
  enrich::PlaceFile::remove_copies(data->temporary());
  packs = std::make_unique<enrich::PackStore>(
      enrich::PackDirectories{data->packs(), enrich::find_shipped_packs(options.packs.directory), data->temporary()});
  pack_watch.every(kPackPoll, [this] {
    lower_priority(10);
    packs->refresh(clock.now());
    enrich::show_packs(*packs->current(), clock.now(), registry);
  });
  pack_watch.start();
}

Result<> ServerParts::State::start_loaders() {
  if (!roles.load) return {};
  auto open_outcomes = [this](journal::Partition partition, std::unique_ptr<load::Outcomes>& into) -> Result<> {
    auto opened = load::Outcomes::open(real_files(), data->outcomes(), journal->uuid(), partition);
    if (!opened) return std::move(opened).error();
    into = *std::move(opened);
    return {};
  };
  if (auto opened = open_outcomes(journal::Partition::live, live_outcomes); !opened) return opened;
  if (auto opened = open_outcomes(journal::Partition::bulk, bulk_outcomes); !opened) return opened;
  auto opened = load::Dedup::open(real_files(), data->dedup(), journal->uuid(), {});
  if (!opened) return std::move(opened).error();
  dedup = *std::move(opened);
  auto healing = load::VisitHealer::open(real_files(), data->outcomes(), journal->uuid(), {*store, registry});
  if (!healing) return std::move(healing).error();
  healer = *std::move(healing);
  const load::Dependencies dependencies{
      *journal, *store,  *settings,   *secrets, {live_outcomes.get(), bulk_outcomes.get()},
      *dedup,   *healer, packs.get(), clock,    registry};
  load::Dependencies watched = dependencies;  // what happens now; history is not
  watched.watch = &feed;
  live = std::make_unique<load::Loader>(options.load, watched, journal::Partition::live, nullptr);
  // History waits while today is more than a batch behind.
  auto behind = [this] {
    load::Progress progress = live->progress();
    return progress.end - progress.loaded > options.load.batch_rows;
  };
  bulk = std::make_unique<load::Loader>(options.load, dependencies, journal::Partition::bulk, behind);
  live->start();
  bulk->start();
  healer->start();
  // With a server of the operator's, another weir may change rows of which this one knows nothing.
  if (roles.api && engine != nullptr) {
    found_visits = std::make_unique<query::FoundVisits>(*store);
    roller = std::make_unique<query::Roller>(
        options.query, query::Roller::Parts{*store, *settings, clock, registry,
                                            [this] { return prepared && !draining; }, found_visits.get()});
    roller->start();
  }
  return {};
}

void ServerParts::State::add_routes() {
  bool apart = !options.api.listen.empty();
  auto look = [this] { return checks(); };
  add_status_routes(public_router, look);
  add_status_routes(owner_router, look);
  add_metrics_route(owner_router, registry);
  if (collector) {
    collector->add_routes(public_router);
    collector->add_routes(owner_router);
  }
  if (!options.metrics.listen.empty()) {
    add_status_routes(metrics_router, look);
    add_metrics_route(metrics_router, registry);
  }
  if (!roles.api) return;
  if (apart) add_status_routes(api_router, look);
  http::Router& open_router = apart ? api_router : public_router;
  auto run_sql = [this](const api::SqlQuestion& question, const std::function<bool(std::string_view)>& sink) {
    return answer_sql(question, sink);
  };
  auto run_question = [this](api::StatsQuestion question) { return answer_question(std::move(question)); };
  sessions = std::make_unique<api::Sessions>(*settings, clock);
  gate = std::make_unique<api::Gate>(*settings, *sessions, clock, options.http.origins);
  people =
      std::make_unique<api::People>(api::People::Dependencies{*settings, clock, *gate, *sessions, registry, *sealer});
  api = std::make_unique<api::Api>(
      options.api, api::Dependencies{*settings, clock, *gate, *sessions, registry, run_sql, run_question});
  if (journal) {
    transfer::ImporterOptions import_options;
    import_options.directory = data->imports();
    import_options.record_bytes_max =
        std::min<uint64_t>(import_options.record_bytes_max, options.journal.record_bytes_max);
    importer = std::make_unique<transfer::Importer>(real_files(), clock, *journal, *secrets, registry, import_options);
    importing = std::make_unique<transfer::ImportThread>(*importer);
  }
  if (live) {
    replays = std::make_unique<ReplayRoute>(
        *settings, *gate, *live, *bulk, *store,
        load::ReEnricher::Parts{*journal, *store, *settings, *secrets, *healer, packs.get()});
    trace = std::make_unique<EventTrace>(EventTrace::Parts{
        *journal, {live_outcomes.get(), bulk_outcomes.get()}, {live.get(), bulk.get()}, *dedup, *store, *settings});
    traces = std::make_unique<TraceRoute>(*settings, *gate, *trace);
  }
  add_live_routes();
  web::WebOptions pages;
  pages.frame_ancestors = [this](std::string_view token) {
    auto snapshot = settings->snapshot();
    const settings::Share* share = snapshot->share_of_token(token, clock.now());
    return share == nullptr ? std::vector<std::string>() : share->origins;
  };
  pages.viewer_of = [this](const http::Request& request, std::string_view name) -> std::optional<web::Viewer> {
    auto caller = gate->let_in(request, {api::Access::Who::somewhere, api::Permission::view});
    auto snapshot = settings->snapshot();
    const settings::Project* project = snapshot->project(name);
    if (!caller || !caller->user() || project == nullptr || !caller->sees(project->id)) return std::nullopt;
    return web::Viewer{caller->may(api::Permission::edit, project->id), project->time_zone, gate->csrf_of(request)};
  };
  for (http::Router* router : {&open_router, &owner_router}) {
    api->add_routes(*router);
    people->add_routes(*router);
    live_routes->add_routes(*router);
    about->add(*router);
    if (importing) add_import_routes(*router, *settings, *gate, clock, *importing);
    if (replays) replays->add(*router);
    if (traces) traces->add(*router);
    web::add_web_routes(*router, pages);
  }
}

void ServerParts::State::add_live_routes() {
  auto count = [this](ProjectId project) -> Result<std::string> {
    if (!prepared) return Error{ErrorCode::kUnavailable, "the store is not ready"};
    return query::live_counts(*store, project, clock.now());
  };
  live_routes = std::make_unique<api::Live>(api::LiveOptions(),
                                            api::Live::Dependencies{*settings, clock, *gate, registry, feed, count});
  system = std::make_unique<SystemState>(SystemState::Parts{clock,
                                                            real_files(),
                                                            registry,
                                                            *settings,
                                                            data->path(),
                                                            options.serve.roles,
                                                            [this] { return checks(); },
                                                            journal.get(),
                                                            {live_outcomes.get(), bulk_outcomes.get()},
                                                            {live.get(), bulk.get()},
                                                            store.get(),
                                                            packs.get()});
  upkeep.every(SystemState::kSampleEvery, [this] { system->sample(); });
  about = std::make_unique<AboutRoutes>(AboutRoutes::Parts{*settings, *gate, [this] { return system->to_json(); },
                                                           [this] { return answer_schema(); }, packs.get()});
}

// What a person's SQL sees, and how much of it.
Result<std::string> ServerParts::State::answer_schema() {
  auto views = query::public_schema(*store);
  if (!views) return views;
  return fmt::format(R"({{"tables":{},"limits":{{"seconds":{},"statement_bytes":{},"rows":{},"bytes":{}}}}})", *views,
                     std::chrono::duration_cast<seconds>(options.store.query_timeout_max).count(),
                     std::min<uint64_t>(options.api.statement_bytes_max, query::kSqlBytesMax),
                     store::engine::kUserRowsMax, store::engine::kUserBytesMax);
}

Result<> ServerParts::State::listen() {
  auto bound = server->listen(options.http.listen, public_router);
  if (!bound) return std::move(bound).error();
  public_address = *bound;
  api_address = public_address;
  if (!options.api.listen.empty() && roles.api) {
    auto api_bound = server->listen(options.api.listen, api_router);
    if (!api_bound) return std::move(api_bound).error();
    api_address = *api_bound;
  }
  if (!options.metrics.listen.empty()) {
    auto metrics_bound = server->listen(options.metrics.listen, metrics_router);
    if (!metrics_bound) return std::move(metrics_bound).error();
  }
  return server->listen_unix(data->socket(), owner_router);
}

void ServerParts::State::start_upkeep() {
  upkeep.every(seconds(1),
               [this] { clock_watch.look(std::chrono::system_clock::now(), std::chrono::steady_clock::now()); });
  upkeep.every(minutes(5), [this] {
    if (auto expired = secrets->expire(clock.now()); !expired)
      log::error("settings: a secret could not be destroyed: {}", expired.error().message);
  });
  if (sessions) {
    upkeep.every(minutes(5), [this] {
      if (auto kept = sessions->keep_seen(); !kept) log::warning("api: sessions: {}", kept.error().message);
    });
  }
  if (journal) {
    upkeep.every(milliseconds(250), [this] {
      for (journal::Partition p : {journal::Partition::live, journal::Partition::bulk})
        if (journal->writer(p).failed() && !draining) {
          log::critical("journal: {} cannot be written any more; ending, so that a new start can recover", name_of(p));
          ::kill(::getpid(), SIGTERM);
        }
    });
  }
  if (store) {
    upkeep.every(milliseconds(500), [this] { show_project_names(); });
    auto& up = registry.gauge("weir_store_up", "Whether the store answered last time.");
    auto& parts = registry.gauge("weir_store_parts", "Active parts of the event table.");
    auto& detached = registry.gauge("weir_store_detached_parts", "Parts that ClickHouse set aside as broken.");
    auto disk_bytes = [this](const char* kind) -> auto& {
      return registry.gauge("weir_store_disk_bytes", "Bytes of the event table, and of the sums beside it.",
                            {{"disk", "default"}, {"kind", kind}});
    };
    auto& bytes = disk_bytes("events");
    auto& rollup_bytes = disk_bytes("rollups");
    auto& rows = registry.gauge("weir_store_rows", "Rows of the event table.");
    upkeep.every(seconds(5), [this, &up, &parts, &detached, &bytes, &rollup_bytes, &rows] {
      auto health = store->health();
      up.set(health ? 1 : 0);
      if (!health) return;
      parts.set(static_cast<double>(health->parts));
      detached.set(static_cast<double>(health->detached_parts));
      bytes.set(static_cast<double>(health->bytes_on_disk));
      rollup_bytes.set(static_cast<double>(health->rollup_bytes));
      rows.set(static_cast<double>(health->rows));
    });
  }
  upkeep.start();
}

// Makes the tables, unless that was done since the store was last seen to be away.
Result<> ServerParts::State::prepare_store() {
  if (prepared) return {};
  auto migrated = store->migrate();
  if (migrated) {
    prepared = true;
    corrupt_answers = 0;
  } else if (migrated.error().code == ErrorCode::kCorrupt && ++corrupt_answers >= kCorruptAnswers) {
    corrupt_answers = 0;
    if (engine != nullptr)
      engine->set_aside(migrated.error().message);
    else
      log::critical("{}: nothing is loaded until its operator has looked", migrated.error().message);
  }
  return migrated;
}

// The public view shows projects by name; a rename is visible within a second.
void ServerParts::State::show_project_names() {
  if (!store->up()) {
    shown.reset();  // it may come back as another, empty one
    prepared = false;
  }
  if (!prepare_store()) return;
  auto snapshot = settings->snapshot();
  if (snapshot == shown) return;
  std::vector<std::pair<ProjectId, std::string>> names;
  for (const settings::Project& project : snapshot->projects()) names.emplace_back(project.id, project.name);
  if (auto shown = store->set_project_names(names); !shown) {
    log::warning("store: project names: {}", shown.error().message);
    return;
  }
  shown = std::move(snapshot);
}

// A question that comes while the store starts waits for it instead of failing.
Result<> ServerParts::State::wait_for_store() {
  for (auto deadline = clock.steady() + kStorePatience; !prepared && !draining;
       std::this_thread::sleep_for(kStorePoll)) {
    auto ready = prepare_store();
    if (!ready && clock.steady() >= deadline) return ready;
  }
  return {};
}

namespace {
// What was received before is a row, or has its outcome; 0: not known.
UnixMillis complete_to(const load::Progress& progress, UnixMillis now) {
  if (!progress.reconciled) return 0;
  return progress.loaded == progress.end ? now : progress.waiting_since;
}
}  // namespace

Result<std::string> ServerParts::State::answer_question(api::StatsQuestion question) {
  if (auto ready = wait_for_store(); !ready) return std::move(ready).error();
  if (live && bulk) {
    const UnixMillis now = clock.now();
    const UnixMillis complete = std::min(complete_to(live->progress(), now), complete_to(bulk->progress(), now));
    if (complete > 0) question.context.complete_to = complete;
  }
  query::AskLimits limits;
  limits.timeout = options.api.query_timeout;
  limits.abandoned = std::move(question.abandoned);
  limits.kept = &kept_answers;
  limits.found = found_visits.get();
  limits.sample_rows = options.query.sample_rows;
  return query::answer_question(*store, question.body, question.context, question.form, limits);
}

Result<> ServerParts::State::answer_sql(const api::SqlQuestion& question,
                                        const std::function<bool(std::string_view)>& sink) {
  if (auto ready = wait_for_store(); !ready) return ready;
  query::SqlRequest request;
  request.format = question.format;
  request.timeout = question.timeout;
  request.abandoned = question.abandoned;
  if (question.projects) request.projects = &*question.projects;
  auto answered = query::run_sql(*store, question.statement, request, sink);
  if (!answered) return std::move(answered).error();
  return {};
}

std::vector<Check> ServerParts::State::checks() const {
  std::vector<Check> checks;
  checks.push_back({"serving", !draining, true, "stopping"});
  checks.push_back({"settings", settings->degraded().empty(), false, std::string(settings::Repository::kRefused)});
  if (journal) {
    const journal::Writer& writer = journal->writer(journal::Partition::live);
    checks.push_back({"journal", !writer.failed() && !writer.full(), true, writer.failed() ? "failed" : "no space"});
  }
  if (store) checks.push_back({"store", store->up() && prepared, !roles.collect, "not answering"});
  return checks;
}

bool ServerParts::State::announce_stop() {
  draining = true;
  return !journal || !journal->writer(journal::Partition::live).failed();
}

int ServerParts::State::stop() {
  draining = true;
  // Stopping the loaders ends replays that wait for them, so that the drain does not.
  upkeep.stop();
  pack_watch.stop();
  if (store) store->end_background();
  if (live) live->stop();
  if (bulk) bulk->stop();
  if (healer) healer->stop();
  if (roller) roller->stop();
  if (dedup)
    if (auto kept = dedup->checkpoint(); !kept) log::warning("{}", kept.error().message);
  if (live_routes) live_routes->stop();  // open streams would hold the drain up
  server->drain();
  if (api) api->stop();
  if (people) people->stop();
  if (about) about->stop();
  if (importing) importing->stop();
  bool failed = false;
  if (journal) {
    failed = journal->writer(journal::Partition::live).failed() || journal->writer(journal::Partition::bulk).failed();
    if (auto closed = journal->close(); !closed) {
      log::error("journal: closing: {}", closed.error().message);
      failed = true;
    }
  }
  if (auto closed = settings->close(); !closed) log::error("settings: closing: {}", closed.error().message);
  // The engine waits for open connections: the store's go first.
  store.reset();
  endpoints.reset();
  return failed ? 1 : 0;
}

ServerParts::ServerParts(std::unique_ptr<State> state) : state_(std::move(state)) {}
ServerParts::~ServerParts() = default;

Result<std::unique_ptr<ServerParts>> ServerParts::open(const Invocation& invocation) {
  std::unique_ptr<ServerParts> parts(new ServerParts(std::make_unique<State>(invocation)));
  if (auto opened = parts->state_->open(); !opened) return std::move(opened).error();
  return parts;
}

std::string ServerParts::greeting() const {
  const State& s = *state_;
  std::string projects;
  for (const settings::Project& project : s.settings->snapshot()->projects())
    projects += (projects.empty() ? "" : ", ") + project.name;
  std::string text = fmt::format("weir {} listens on {} (projects: {}); data in {}\n", WEIR_VERSION,
                                 reachable(s.public_address), projects, s.data->path());
  if (s.api_address != s.public_address) text += fmt::format("API on {}\n", reachable(s.api_address));
  if (std::string token = s.people ? s.people->setup_token() : std::string(); !token.empty()) {
    text += fmt::format("Nobody has an account yet. Make the first one here, once:\n  {}/ui/setup#{}\n",
                        reachable(s.api_address), token);
  }
  return text;
}

bool ServerParts::announce_stop() { return state_->announce_stop(); }

int ServerParts::stop() { return state_->stop(); }

}  // namespace weir::app
