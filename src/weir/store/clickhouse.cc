#include "weir/store/clickhouse.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>

#include "weir/base/bytes.h"
#include "weir/base/logging.h"
#include "weir/base/random.h"
#include "weir/store/answers.h"
#include "weir/store/engine/config.h"
#include "weir/store/exception.h"
#include "weir/store/row_binary.h"
#include "weir/store/schema.h"

namespace weir::store {

namespace {
using std::chrono::milliseconds;

constexpr size_t kClientsKept = 8;
constexpr size_t kAnswerBytesMax = 256 * MiB;
// The client waits a little longer than the server is told to work, so that the server's own word arrives.
constexpr milliseconds kGrace{2'000};
constexpr milliseconds kKillTimeout{5'000};
constexpr int kJournalNumberTries = 16;

void bind(const Parameters& parameters, Parameters& settings) {
  for (const auto& [name, value] : parameters) settings.emplace_back("param_" + name, escape(value));
}

std::string seconds_text(milliseconds time) { return fmt::format("{:.3f}", static_cast<double>(time.count()) / 1000); }

}  // namespace

struct ClickHouse::Request {
  std::string_view sql;
  std::vector<std::string_view> body;  // when set, `sql` goes into the URL
  Settings settings;
  std::string format;
  milliseconds timeout{30'000};
  Doing doing = Doing::statement;
  std::string user, password;  // instead of the endpoint's own
  std::string database;        // empty: names in the statement are whole
  const std::function<bool(std::string_view)>* sink = nullptr;
  std::function<bool()> abandoned;
};

ClickHouse::ClickHouse(const Options& options, const Endpoints& endpoints, metrics::Registry& registry)
    : options_(options), endpoints_(endpoints), metrics_(registry), readers_(engine::kReaders) {}
ClickHouse::~ClickHouse() = default;

std::unique_ptr<HttpClient> ClickHouse::take_client() {
  std::lock_guard lock(clients_mutex_);
  if (clients_.empty()) return std::make_unique<HttpClient>();
  auto client = std::move(clients_.back());
  clients_.pop_back();
  return client;
}

void ClickHouse::give_client(std::unique_ptr<HttpClient> client) {
  std::lock_guard lock(clients_mutex_);
  if (clients_.size() < kClientsKept) clients_.push_back(std::move(client));
}

bool ClickHouse::up() const { return last_contact_went_well_ && endpoints_.endpoint().has_value(); }

Result<IncomingAnswer> ClickHouse::send(const Request& request) {
  auto endpoint = endpoints_.endpoint();
  if (!endpoint) {
    last_contact_went_well_ = false;
    metrics_.up.set(0);
    return std::move(endpoint).error();
  }
  return send_to(*endpoint, request);
}

OutgoingRequest ClickHouse::compose(const Endpoint& endpoint, const Request& request, const std::string& query_id) {
  OutgoingRequest http;
  http.method = "POST";
  http.url = fmt::format("{}/?query_id={}", endpoint.url, query_id);
  auto add = [&](std::string_view name, std::string_view value) {
    http.url += fmt::format("&{}={}", url_encode(name), url_encode(value));
  };
  if (!request.database.empty()) add("database", request.database);
  if (!request.format.empty()) add("default_format", request.format);
  for (const auto& [name, value] : request.settings) add(name, value);
  if (request.body.empty()) {
    http.body = {request.sql};
  } else {
    add("query", request.sql);
    http.body = request.body;
  }
  http.headers = endpoint.headers;
  if (!request.user.empty()) {
    http.headers.emplace_back("X-ClickHouse-User", request.user);
    http.headers.emplace_back("X-ClickHouse-Key", request.password);
  }
  http.timeout = request.timeout + kGrace;
  http.answer_bytes_max = SIZE_MAX;  // what is kept is limited below; what is passed on, by the reader's profile
  return http;
}

// The one way to the server. What it answers is believed only with the proof of this start of it.
Result<IncomingAnswer> ClickHouse::send_to(const Endpoint& endpoint, const Request& request) {
  std::string query_id = to_hex(random_bytes(16));
  std::string body;
  std::function<bool(std::string_view)> keep = [&](std::string_view piece) {
    body += piece;
    return body.size() <= kAnswerBytesMax;
  };
  GuardedStream stream(request.sink != nullptr ? *request.sink : keep);
  OutgoingRequest http = compose(endpoint, request, query_id);
  http.on_body = [&](std::string_view piece) { return stream.add(piece); };
  bool abandoned = false;
  if (request.abandoned) http.abandoned = [&] { return abandoned = abandoned || request.abandoned(); };

  auto client = take_client();
  auto answer = client->send(http);
  if (answer) give_client(std::move(client));  // otherwise its connection is in an unknown state
  // An exception in the middle of an answer may end in a broken connection, whose headers we do not get to see: without
  // proof it is no verdict on rows.
  std::string last_words = answer || request.doing == Doing::insert ? std::string() : stream.last_words();
  if (answer && !endpoint.proof.empty() && !equal_constant_time(answer->header("x-weir-proof"), endpoint.proof))
    answer = Error{ErrorCode::kUnavailable, "something else answers in the server's place"};
  bool in_contact = answer || abandoned || stream.cancelled() || !last_words.empty();
  last_contact_went_well_ = in_contact;
  metrics_.up.set(in_contact ? 1 : 0);

  std::string exception;
  int code = 0;
  if (answer && answer->status == 200) {
    exception = stream.finish(answer->header("x-clickhouse-exception-tag"));
    answer->body = std::move(body);
  } else if (answer) {
    exception = answer->body.empty() ? fmt::format("status {}", answer->status) : answer->body;
    code = number_in<int>(answer->header("x-clickhouse-exception-code"));
  }
  if (abandoned && !answer) {
    kill(endpoint, query_id);
    return Error{ErrorCode::kUnavailable, "store: nobody waits for the answer any more"};
  }
  if (stream.cancelled()) {
    kill(endpoint, query_id);
    if (request.sink == nullptr)
      return Error{ErrorCode::kTooLarge, fmt::format("store: an answer of more than {} bytes", kAnswerBytesMax)};
    return Error{ErrorCode::kBadInput, "store: the reader of the answer went away"};
  }
  if (!answer) {
    if (answer.error().code == ErrorCode::kTimeout) kill(endpoint, query_id);
    exception = std::move(last_words);
    if (exception.empty()) return Error{answer.error().code, "store: " + answer.error().message};
  }
  if (exception.empty()) return answer;
  if (code == 0) code = code_in(exception);
  return Error{error_code_of(code, request.doing),
               fmt::format("store: {} (ClickHouse {})", plain_message(exception), code)};
}

// Not waited for: KILL ... SYNC never returns in this engine.
void ClickHouse::kill(const Endpoint& endpoint, const std::string& query_id) {
  std::string sql = fmt::format("KILL QUERY WHERE query_id = '{}' ASYNC", query_id);
  OutgoingRequest http;
  http.method = "POST";
  http.url = endpoint.url + "/";
  http.headers = endpoint.headers;
  http.body = {sql};
  http.timeout = kKillTimeout;
  HttpClient client;
  if (auto killed = client.send(http); !killed) log::debug("store: cannot end a statement: {}", killed.error().message);
}

// ClickHouse's numbers for it, of which 1 is the most urgent. The profile of persons' SQL (engine/config.cc) has 10.
void ClickHouse::set_urgency(Urgency urgency, Request& request) const {
  if (urgency == Urgency::apart) return;
  request.settings.emplace_back("priority", urgency == Urgency::awaited ? "1" : "20");
  request.settings.emplace_back("low_priority_query_wait_time_ms", "100");
  if (urgency == Urgency::background)
    request.abandoned = [this, own = std::move(request.abandoned)] { return background_ended_ || (own && own()); };
}

Result<> ClickHouse::execute(std::string_view sql, Urgency urgency) {
  Request request;
  request.sql = sql;
  if (urgency == Urgency::background) request.timeout = kBackgroundTime;
  set_urgency(urgency, request);
  auto answer = send(request);
  if (!answer) return std::move(answer).error();
  return {};
}

Result<std::string> ClickHouse::read(std::string_view sql, const QueryOptions& options) {
  auto began = std::chrono::steady_clock::now();
  Request request;
  request.sql = sql;
  request.format = options.format;
  request.timeout = options.timeout;
  request.settings = {{"max_execution_time", seconds_text(options.timeout)}};
  if (options.rows_read_max > 0)
    request.settings.emplace_back("max_rows_to_read", std::to_string(options.rows_read_max));
  if (options.memory_bytes_max > 0)
    request.settings.emplace_back("max_memory_usage", std::to_string(options.memory_bytes_max));
  request.abandoned = options.abandoned;
  set_urgency(options.urgency, request);
  if (options.rows_read != nullptr) request.settings.emplace_back("wait_end_of_query", "1");
  bind(options.parameters, request.settings);
  auto answer = send(request);
  metrics_.query_seconds.observe(std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count());
  if (!answer) return std::move(answer).error();
  // {"read_rows":"123",...}
  if (options.rows_read != nullptr) {
    constexpr std::string_view kKey = "\"read_rows\":\"";
    std::string_view summary = answer->header("x-clickhouse-summary");
    if (size_t at = summary.find(kKey); at != std::string_view::npos)
      *options.rows_read += number_in<uint64_t>(summary.substr(at + kKey.size()));
  }
  return std::move(answer->body);
}

Result<std::string> ClickHouse::query(std::string_view sql, const QueryOptions& options) { return read(sql, options); }

Result<> ClickHouse::insert_lines(std::string_view into, std::string_view lines, std::string_view token) {
  std::string sql = fmt::format("INSERT INTO weir_data.{} FORMAT TabSeparated", into);
  Request request;
  request.sql = sql;
  request.body = {lines};
  request.settings = {{"async_insert", "0"}};
  if (!token.empty()) {
    request.settings.emplace_back("insert_deduplicate", "1");
    request.settings.emplace_back("insert_deduplication_token", token);
  }
  auto answer = send(request);
  if (!answer) return std::move(answer).error();
  return {};
}

Result<> ClickHouse::migrate() {
  std::lock_guard lock(tables_mutex_);
  for (const std::string& statement : schema_foundation())
    if (auto done = execute(statement); !done) return done;
  auto newest = read("SELECT max(version) FROM weir_data.migrations", {.format = "TSV"});
  if (!newest) return std::move(newest).error();
  auto version = number_in<uint32_t>(*newest);
  uint32_t latest = migrations().back().version;
  if (version > latest)
    return Error{ErrorCode::kConflict,
                 fmt::format("store: the tables are of version {}, this weir knows up to {}", version, latest)};
  for (const Migration& step : migrations()) {
    if (step.version <= version) continue;
    log::info("store: migrating to version {}: {}", step.version, step.name);
    for (const std::string& statement : step.statements)
      if (auto done = execute(statement); !done) return done;
    auto noted = insert_lines("migrations (version, name)", fmt::format("{}\t{}\n", step.version, escape(step.name)));
    if (!noted) return noted;
  }
  if (auto whole = expect_whole(); !whole) return whole;
  for (const auto& statements : {schema_of_rollups(), schema_of_one_life()})
    for (const std::string& statement : statements)
      if (auto done = execute(statement); !done) return done;
  return load_coverage();
}

// Before the first row of this life is written, or a change would not uncover what it has to.
Result<> ClickHouse::load_coverage() {
  auto bytes = read(
      fmt::format("SELECT project_id, any(span_from), any(span_to), version, any(rows) = 0 FROM weir_data.rollup_spans "
                  "GROUP BY project_id, version HAVING min(covered) = 1 AND max(scheme) = {}",
                  kRollupScheme),
      in_row_binary({}));
  if (!bytes) return std::move(bytes).error();
  std::vector<Coverage::Covered> all;
  RowBinary in(*bytes);
  while (!in.at_end()) {
    Coverage::Covered covered;
    covered.project = ProjectId{in.fixed<uint64_t>()};
    covered.span.from = in.fixed<int64_t>();
    covered.span.to = in.fixed<int64_t>();
    covered.span.version = in.fixed<uint32_t>();
    covered.span.empty = in.fixed<uint8_t>() != 0;
    if (in.failed()) return unreadable("spans of roll-ups");
    all.push_back(covered);
  }
  coverage_.replace(std::move(all));
  return {};
}

Result<> ClickHouse::change_rows(std::span<const Coverage::Touched> touched, const std::function<Result<>()>& change) {
  Coverage::Change begun = coverage_.begins(touched);
  if (!begun.uncovered.empty()) {
    std::string lines;
    for (const auto& [project, span] : begun.uncovered)
      lines += fmt::format("{}\t{}\t{}\t{}\t0\t{}\n", number(project), span.from, span.to, span.version, kRollupScheme);
    auto noted = insert_lines("rollup_spans (project_id, span_from, span_to, version, covered, scheme)", lines);
    if (!noted) {
      coverage_.ended(begun.number, true);
      return noted;
    }
    coverage_.noted(begun.uncovered);
  }
  auto changed = change();
  // A server that could not be reached, or did not answer in time, may still do it.
  const bool known =
      changed || (changed.error().code != ErrorCode::kTimeout && changed.error().code != ErrorCode::kUnavailable);
  coverage_.ended(begun.number, known);
  return changed;
}

namespace {
constexpr int64_t kDaySeconds = 86'400;
constexpr int64_t kLateSeconds = 3'600;

// What depends on the rows of a block: from the beginnings of their visits to their own moments. Behind those lies
// nothing of the same visit but for rows that come late.
std::vector<Coverage::Touched> touched_by(const Block& block) {
  const int64_t late = std::time(nullptr) - kLateSeconds;
  std::map<std::pair<uint64_t, int64_t>, Coverage::Touched> by_day;
  Coverage::Touched* last = nullptr;
  int64_t last_day = 0;
  for (size_t i = 0; i < block.rows(); ++i) {
    const ProjectId project = block.project_of(i);
    const int64_t second =
        day_of(block.time_of(i)) * kDaySeconds + (block.time_of(i) - day_of(block.time_of(i)) * kMillisPerDay) / 1000;
    const int64_t day = day_of(block.time_of(i));
    // No visit is longer than a day, whatever its number says.
    const int64_t from = std::clamp(static_cast<int64_t>(block.session_of(i) >> 32), second - kDaySeconds - 1, second);
    const int64_t to = second < late ? second + kDaySeconds + 1 : second + 1;
    if (last == nullptr || last->project != project || last_day != day) {
      auto [at, added] = by_day.try_emplace({number(project), day}, Coverage::Touched{project, from, to});
      last = &at->second;
      last_day = day;
    }
    last->from = std::min(last->from, from);
    last->to = std::max(last->to, to);
  }
  std::vector<Coverage::Touched> touched;
  for (const auto& [key, value] : by_day) touched.push_back(value);
  return touched;
}
}  // namespace

// A table that a lost file took away must not be begun anew beside the others: journals without their numbers would get
// those of other journals, and rows would be taken for what they are not. Under tables_mutex_; once a start.
Result<> ClickHouse::expect_whole() {
  auto endpoint = endpoints_.endpoint();
  if (!endpoint) return std::move(endpoint).error();
  if (found_whole_ == endpoint->start) return {};
  auto tables = read(
      "SELECT arrayStringConcat(arraySort(groupArray(name)), ' ') FROM system.tables WHERE database = 'weir_data' AND "
      "name IN ('events', 'journals', 'projects')",
      {.format = "TSVRaw"});
  if (!tables) return std::move(tables).error();
  if (*tables != "events journals projects\n")
    return Error{ErrorCode::kCorrupt, "store: of the tables events, journals and projects there are only: " + *tables};
  auto strays = read(
      "SELECT count() FROM (SELECT DISTINCT _p FROM weir_data.events) WHERE _p NOT IN (SELECT p FROM "
      "weir_data.journals)",
      {.format = "TSV"});
  if (!strays) return std::move(strays).error();
  if (number_in<uint64_t>(*strays) > 0)
    return Error{ErrorCode::kCorrupt, "store: rows of journals that the table `journals` does not know any more"};
  found_whole_ = endpoint->start;
  return {};
}

Result<std::vector<JournalRow>> ClickHouse::journals() {
  auto bytes = read("SELECT p, journal_uuid, kind, topic, partition, epoch, first_o FROM weir_data.journals ORDER BY p",
                    in_row_binary({}));
  if (!bytes) return std::move(bytes).error();
  std::vector<JournalRow> rows;
  RowBinary in(*bytes);
  while (!in.at_end()) {
    JournalRow row;
    row.p = in.fixed<uint32_t>();
    bool hexadecimal = from_hex(in.text(), row.key.uuid);
    row.key.kind = in.text();
    row.key.topic = in.text();
    row.key.partition = in.fixed<uint16_t>();
    row.key.epoch = in.fixed<uint32_t>();
    row.key.first_o = in.fixed<uint64_t>();
    if (in.failed() || !hexadecimal) return unreadable("journals");
    rows.push_back(std::move(row));
  }
  return rows;
}

// Several weirs may ask one server at once. A deduplication token that names the number makes the server take only the
// first row for it; who does not find its own row there tries the next number.
Result<uint32_t> ClickHouse::journal_number(const JournalKey& key) {
  std::lock_guard one_at_a_time(journals_mutex_);
  for (uint32_t attempt = 0; attempt < kJournalNumberTries; ++attempt) {
    auto rows = journals();
    if (!rows) return std::move(rows).error();
    uint32_t highest = 0;
    for (const JournalRow& row : *rows) {
      const JournalKey& known = row.key;
      if (known.uuid == key.uuid && known.topic == key.topic && known.partition == key.partition &&
          known.epoch == key.epoch)
        return row.p;
      highest = std::max(highest, row.p);
    }
    if (attempt == kJournalNumberTries - 1) break;
    uint32_t p = highest + 1 + attempt;
    auto line = fmt::format("{}\t{}\t{}\t{}\t{}\t{}\t{}\n", p, to_hex(key.uuid), escape(key.kind), escape(key.topic),
                            key.partition, key.epoch, key.first_o);
    auto inserted = insert_lines("journals (p, journal_uuid, kind, topic, partition, epoch, first_o)", line,
                                 fmt::format("journal {}", p));
    if (!inserted) return std::move(inserted).error();
  }
  return Error{ErrorCode::kUnavailable, "store: cannot get a number for a journal"};
}

Result<> ClickHouse::expect_life(const Endpoint& endpoint, uint64_t life) {
  Request request;
  request.sql = "SELECT min(id) FROM weir_data.life";
  request.format = "TSV";
  auto answer = send_to(endpoint, request);
  if (!answer) return std::move(answer).error();
  if (number_in<uint64_t>(answer->body) != life)
    return Error{ErrorCode::kConflict, "store: insert: the server has restarted"};
  return {};
}

Result<> ClickHouse::insert(const Block& block, std::string_view token, std::optional<uint64_t> life) {
  auto endpoint = endpoints_.endpoint();
  if (!endpoint) return std::move(endpoint).error();
  if (life)
    if (auto same = expect_life(*endpoint, *life); !same) return same;
  std::string bytes;
  bytes.reserve(block.bytes() + 16 * KiB);  // names and types besides
  block.append_native(bytes);
  std::string sql = fmt::format("INSERT INTO weir_data.events ({}) FORMAT Native", Block::column_list());
  Request request;
  request.sql = sql;
  request.body = {bytes};
  request.timeout = options_.insert_timeout;
  request.doing = Doing::insert;
  request.settings = {{"async_insert", "0"},
                      {"insert_deduplicate", "1"},
                      {"max_execution_time", seconds_text(options_.insert_timeout)},
                      {"throw_on_max_partitions_per_insert_block", "1"},
                      {"max_partitions_per_insert_block", "1000"}};
  if (!token.empty()) request.settings.emplace_back("insert_deduplication_token", token);
  return change_rows(touched_by(block), [&]() -> Result<> {
    auto answer = send_to(*endpoint, request);
    if (!answer) return std::move(answer).error();
    return {};
  });
}

Result<std::vector<RangeCount>> ClickHouse::count_positions(uint32_t p, uint64_t first, uint64_t next, uint64_t step) {
  if (step == 0) return Error{ErrorCode::kBadInput, "store: count positions: step 0"};
  auto bytes = read(
      "SELECT intDiv(_o - {first:UInt64}, {step:UInt64}) AS run, count() FROM weir_data.events WHERE _p = {p:UInt32} "
      "AND _o >= {first:UInt64} AND _o < {next:UInt64} GROUP BY run ORDER BY run",
      in_row_binary({{"p", std::to_string(p)},
                     {"first", std::to_string(first)},
                     {"next", std::to_string(next)},
                     {"step", std::to_string(step)}}));
  if (!bytes) return std::move(bytes).error();
  std::vector<RangeCount> ranges;
  RowBinary in(*bytes);
  while (!in.at_end()) {
    uint64_t from = first + in.fixed<uint64_t>() * step;
    uint64_t rows = in.fixed<uint64_t>();
    if (in.failed()) return unreadable("count positions");
    ranges.push_back({from, next - from < step ? next : from + step, rows});
  }
  return ranges;
}

Result<std::vector<uint64_t>> ClickHouse::positions(uint32_t p, uint64_t first, uint64_t next) {
  auto bytes = read(
      "SELECT DISTINCT _o FROM weir_data.events WHERE _p = {p:UInt32} AND _o >= {first:UInt64} AND _o < {next:UInt64} "
      "ORDER BY _o",
      in_row_binary({{"p", std::to_string(p)}, {"first", std::to_string(first)}, {"next", std::to_string(next)}}));
  if (!bytes) return std::move(bytes).error();
  std::vector<uint64_t> found(bytes->size() / sizeof(uint64_t));
  std::memcpy(found.data(), bytes->data(), found.size() * sizeof(uint64_t));
  return found;
}

// The index of positions lets the server look at the highest granules only: 10 ms instead of a second for 100 M rows. A
// server that does not know these settings reads the whole column.
Result<uint64_t> ClickHouse::end_position(uint32_t p) {
  QueryOptions options{.format = "TSV", .parameters = {{"p", std::to_string(p)}}};
  auto answer = read(
      "SELECT _o + 1 FROM weir_data.events WHERE _p = {p:UInt32} ORDER BY _o DESC LIMIT 1 SETTINGS "
      "use_skip_indexes_for_top_k = 1, use_top_k_dynamic_filtering = 1",
      options);
  if (!answer && answer.error().code == ErrorCode::kBadInput)
    answer = read("SELECT if(count() = 0, 0, max(_o) + 1) FROM weir_data.events WHERE _p = {p:UInt32}", options);
  if (!answer) return std::move(answer).error();
  return answer->empty() ? 0 : number_in<uint64_t>(*answer);
}

Result<uint64_t> ClickHouse::life() {
  std::lock_guard lock(tables_mutex_);  // two callers must not both begin it
  for (int attempt = 0; attempt < 2; ++attempt) {
    auto answer = read("SELECT count(), min(id) FROM weir_data.life", in_row_binary({}));
    if (!answer) return std::move(answer).error();
    RowBinary in(*answer);
    auto count = in.fixed<uint64_t>();
    auto id = in.fixed<uint64_t>();
    if (in.failed()) return unreadable("life");
    if (count > 0) return id;
    if (auto begun = insert_lines("life (id)", fmt::format("{}\n", random_u64())); !begun)
      return std::move(begun).error();
  }
  return unreadable("life");
}

// Names are only ever added, under a rising version; the view takes the newest.
Result<> ClickHouse::set_project_names(std::span<const std::pair<ProjectId, std::string>> names) {
  auto bytes =
      read("SELECT project_id, argMax(name, version), max(version) FROM weir_data.projects GROUP BY project_id",
           in_row_binary({}));
  if (!bytes) return std::move(bytes).error();
  std::map<uint64_t, std::string> known;
  uint64_t version = 0;
  RowBinary in(*bytes);
  while (!in.at_end()) {
    auto id = in.fixed<uint64_t>();
    known[id] = in.text();
    version = std::max(version, in.fixed<uint64_t>());
    if (in.failed()) return unreadable("project names");
  }
  std::string lines;
  for (const auto& [id, name] : names)
    if (auto at = known.find(number(id)); at == known.end() || at->second != name)
      lines += fmt::format("{}\t{}\t{}\n", number(id), escape(name), version + 1);
  if (lines.empty()) return {};
  return insert_lines("projects (project_id, name, version)", lines);
}

Result<Readers::Lease> ClickHouse::lend_reader(const Endpoint& endpoint, const std::vector<ProjectId>& projects) {
  std::vector<uint64_t> ids;
  for (ProjectId id : projects) ids.push_back(number(id));
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return readers_.lend(endpoint.start, ids, [&](int reader) -> Result<> {
    std::string emptying = "TRUNCATE TABLE weir_data." + engine::reader_table(reader);
    Request empty;
    empty.sql = emptying;
    if (auto done = send_to(endpoint, empty); !done) return std::move(done).error();
    if (ids.empty()) return {};
    std::string filling =
        fmt::format("INSERT INTO weir_data.{} VALUES ({})", engine::reader_table(reader), fmt::join(ids, "),("));
    Request fill;
    fill.sql = filling;
    fill.settings = {{"async_insert", "0"}};
    if (auto done = send_to(endpoint, fill); !done) return std::move(done).error();
    return {};
  });
}

std::string ClickHouse::user_sql_refused() const {
  std::string why = endpoints_.unconfined();
  return why.empty() || options_.allow_unconfined_sql ? std::string() : why;
}

Result<std::string> ClickHouse::user_query(std::string_view sql, const QueryOptions& options,
                                           const std::vector<ProjectId>* projects,
                                           const std::function<bool(std::string_view)>& sink) {
  if (std::string why = user_sql_refused(); !why.empty())
    return Error{ErrorCode::kForbidden, "store: SQL of persons is refused: " + why};
  struct Count {
    std::atomic<uint64_t>& running;
    ~Count() { --running; }
  };
  uint64_t running = user_queries_++;
  Count count{user_queries_};
  if (running >= options_.user_queries_max)
    return Error{ErrorCode::kOverloaded, fmt::format("store: {} statements of persons run already", running)};
  auto endpoint = endpoints_.endpoint();
  if (!endpoint) return std::move(endpoint).error();

  Request request;
  request.sql = sql;
  request.format = options.format;
  request.timeout = std::min(options.timeout, options_.query_timeout_max);
  request.database = "weir";
  request.sink = &sink;
  request.abandoned = options.abandoned;
  std::optional<Readers::Lease> lease;
  if (!endpoint->reader_password.empty()) {
    request.user = engine::kReaderOfAll;
    if (projects != nullptr) {
      auto lent = lend_reader(*endpoint, *projects);
      if (!lent) return std::move(lent).error();
      lease.emplace(std::move(*lent));
      request.user = engine::reader_name(lease->reader());
    }
    request.password = endpoint->reader_password;
  } else if (projects != nullptr) {
    return Error{ErrorCode::kForbidden, "store: SQL over some projects only needs the private store"};
  } else {
    request.settings.emplace_back("readonly", "1");
  }
  request.settings.emplace_back("max_execution_time", seconds_text(request.timeout));
  bind(options.parameters, request.settings);
  auto began = std::chrono::steady_clock::now();
  auto answer = send_to(*endpoint, request);
  metrics_.query_seconds.observe(std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count());
  if (!answer) return std::move(answer).error();
  return std::string(answer->header("content-type"));
}

Result<std::string> ClickHouse::explain_ast(std::string_view sql, const Parameters& parameters) {
  auto endpoint = endpoints_.endpoint();
  if (!endpoint) return std::move(endpoint).error();
  constexpr std::string_view kPrefix = "EXPLAIN AST ";
  std::string statement(kPrefix);
  statement += sql;
  Request request;
  request.sql = statement;
  request.format = "TSV";                    // escapes line ends within a node
  if (!endpoint->reader_password.empty()) {  // parsing needs no rights
    request.user = engine::kReaderOfAll;
    request.password = endpoint->reader_password;
  }
  request.database = "weir";
  bind(parameters, request.settings);
  auto answer = send_to(*endpoint, request);
  if (!answer) return Error{answer.error().code, without_prefix(answer.error().message, kPrefix.size())};
  return std::move(answer->body);
}

Result<Store::Health> ClickHouse::health() {
  auto bytes = read(
      "WITH table = 'events' AS event, startsWith(table, 'rollup') OR startsWith(table, 'visitor_') AS rollup "
      "SELECT sumIf(rows, event), countIf(event), sumIf(bytes_on_disk, event), sumIf(bytes_on_disk, rollup), (SELECT "
      "count() FROM system.detached_parts WHERE database = 'weir_data') FROM system.parts WHERE database = 'weir_data' "
      "AND active",
      in_row_binary({}));
  if (!bytes) return std::move(bytes).error();
  RowBinary in(*bytes);
  Health health{in.fixed<uint64_t>(), in.fixed<uint64_t>(), in.fixed<uint64_t>(), in.fixed<uint64_t>(),
                in.fixed<uint64_t>()};
  if (in.failed()) return unreadable("health");
  return health;
}

}  // namespace weir::store
