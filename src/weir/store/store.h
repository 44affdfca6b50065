#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "weir/base/clock.h"
#include "weir/base/ids.h"
#include "weir/base/result.h"
#include "weir/event/row.h"
#include "weir/store/coverage.h"

// The event tables, over ClickHouse's HTTP interface. What a metric is belongs to query.
namespace weir::store {

// A journal partition and epoch as the store knows it: rows carry `p`, its number.
struct JournalKey {
  std::string uuid;  // 16 bytes
  std::string kind;
  std::string topic;
  uint16_t partition = 0;
  uint32_t epoch = 0;
  uint64_t first_o = 0;
};

struct JournalRow {
  uint32_t p;
  JournalKey key;
};

// Rows of one (p, month) on their way into the store, column by column. Confined to one thread; reusable after
// clear(). The rows' texts are copied.
class Block {
 public:
  Block();
  ~Block();
  Block(Block&&) noexcept;
  Block& operator=(Block&&) noexcept;
  // `row.numbers` are some of `row.properties`, best in the same order.
  void add(const event::Row& row);
  // What a row that was added says of its visit.
  void set_visit(size_t row, const event::VisitColumns& visit);
  size_t rows() const;
  size_t bytes() const;  // about what it will be on the wire
  void clear();
  // `count` rows from `first` on, as a block of their own. first + count <= rows().
  Block slice(size_t first, size_t count) const;
  // The journal offset of a row.
  uint64_t offset_of(size_t row) const;
  // Whose row it is, and when it happened.
  ProjectId project_of(size_t row) const;
  uint64_t visitor_of(size_t row) const;
  uint64_t session_of(size_t row) const;
  UnixMillis time_of(size_t row) const;

  // Appends the rows in ClickHouse's Native format (docs/formats/store.md).
  void append_native(std::string& out) const;
  // The columns' names in the order of append_native(), for the INSERT statement: "project_id, event_id, ...".
  static std::string_view column_list();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// How far a count of stored positions goes: rows with offsets in [first, next).
struct RangeCount {
  uint64_t first;
  uint64_t next;
  uint64_t rows;
};

// A visit that may still go on, as the stored rows show it. A stream is what a visitor does, or, where clients name
// their sessions, what they do in one of those.
struct OpenVisit {
  ProjectId project_id{};
  uint64_t visitor_id = 0;
  std::string client_session_id;
  uint64_t session_id = 0;
  int64_t last = 0;  // time of its latest event, Unix milliseconds
  uint64_t events = 0;
  uint64_t pageviews = 0;
  uint64_t interactions = 0;  // pageviews and events, of which there are other kinds
  std::string entry_path;     // of its first pageview
  std::string last_path;      // of its last pageview
  std::string source, channel, campaign;
};

// Whose visits, and when.
struct VisitScope {
  std::optional<ProjectId> project;  // none: of all
  int64_t since = 0;                 // Unix milliseconds: their last event is at or after it
  int64_t until = INT64_MAX;         // and rows at or after this are not looked at
};

// What a visit is made of: a stored row, what it says and what was written about its visit.
struct VisitRow {
  ProjectId project_id{};
  uint64_t visitor_id = 0;
  std::string client_session_id;
  int64_t time = 0;
  uint64_t hash = 0;  // event::event_hash()
  event::Kind kind = event::Kind::event;
  std::string path, source, channel, campaign;
  uint32_t p = 0;
  uint64_t o = 0;
  // The visit's columns.
  uint64_t session_id = 0;
  uint16_t visit_seq = 0;
  uint32_t visit_gap_ms = 0;
  int8_t visit_bounce = 0;
  std::string entry_path, previous_path, visit_source, visit_channel, visit_campaign;
};

// A row as the data packs and the operator's rules see it, and what they said of it.
struct EnrichedRow {
  ProjectId project_id{};
  uint64_t visitor_id = 0;
  int64_t time = 0;
  uint32_t p = 0;
  uint64_t o = 0;
  bool names_its_user = false;  // user_id or anonymous_id
  std::string hostname, path, referrer, screen;
  std::string utm_source, utm_medium, utm_campaign, click_id;
  // The columns that enrichment gives, in the order of enriched_columns().
  std::array<std::string, 14> found;
};
std::span<const std::string_view> enriched_columns();

// A project's rows of one day (UTC; its beginning in Unix milliseconds).
struct ProjectDay {
  ProjectId project_id{};
  int64_t day = 0;
  uint64_t rows = 0;
};

using Parameters = std::vector<std::pair<std::string, std::string>>;  // bound as {name:Type}

// Which statements give way to which: between two pieces of what it reads, one waits (a tenth of a second at most) as
// long as a more urgent one runs.
enum class Urgency : uint8_t {
  apart,       // gives way to none, and none to it
  awaited,     // somebody looks at an empty screen; persons' own SQL gives way to it
  background,  // nobody waits for it, and it may take a while; Store::end_background() ends it
};

struct QueryOptions {
  std::string format = "JSONCompact";
  Parameters parameters = {};
  std::chrono::milliseconds timeout{30'000};
  Urgency urgency = Urgency::apart;
  // Limits on this statement besides the server's own; 0: none.
  uint64_t rows_read_max = 0;
  uint64_t memory_bytes_max = 0;
  // When set: rows that the server read for the answer are added to it. It then sends nothing before it is done.
  uint64_t* rows_read = nullptr;
  // Asked about once a second while the server works, whether nobody wants the answer any more; true ends the
  // statement.
  std::function<bool()> abandoned = {};
};

// The store. Thread-safe: each call takes a connection of its own from a small pool. Blocking: never from an I/O
// thread. Errors everywhere: kUnavailable (away, or its own state: space, memory, too many parts: retry the whole),
// kTimeout, kBadInput (it refuses the data or the statement), kOverloaded.
class Store {
 public:
  virtual ~Store() = default;

  // Creates or migrates tables and views. Can be interrupted anywhere and called again.
  // Errors: also kConflict (the tables are of a later version), kCorrupt (tables that were there are gone, or rows of
  // journals that nothing knows any more: what is there can no longer be told apart, see Engine::set_aside()).
  virtual Result<> migrate() = 0;
  // True when the last contact went well.
  virtual bool up() const = 0;
  // Ends statements of Urgency::background, those under way within about a second and all later ones (kUnavailable).
  // To be called before those who wait for them are stopped.
  virtual void end_background() {}

  // The number of a journal partition and epoch; allocated and durable before it returns, the same for ever after.
  virtual Result<uint32_t> journal_number(const JournalKey& key) = 0;
  virtual Result<std::vector<JournalRow>> journals() = 0;

  // Inserts one block: all its rows are durable, or (on an error) none, or it is unknown (kTimeout, kUnavailable).
  // One without rows asks whether the table takes our columns at all: kBadInput when not.
  // `token`: the same for a repetition of identical rows within this process's life, which then counts once.
  // `life`: when given, the insert reaches that life of the server or none: kConflict once it is another one, in which
  // the token may have been forgotten. (Exact for the private engine, each start of which has a port and a secret of
  // its own; with a server of the operator's a restart between question and insert is not seen.)
  virtual Result<> insert(const Block& block, std::string_view token, std::optional<uint64_t> life = std::nullopt) = 0;

  // Rows of journal `p` per run of `step` offsets in [first, next); runs without rows are left out.
  virtual Result<std::vector<RangeCount>> count_positions(uint32_t p, uint64_t first, uint64_t next, uint64_t step) = 0;
  // The offsets of journal `p` in [first, next) that have a row, sorted.
  virtual Result<std::vector<uint64_t>> positions(uint32_t p, uint64_t first, uint64_t next) = 0;
  // One past the highest stored offset of `p`, or 0.
  virtual Result<uint64_t> end_position(uint32_t p) = 0;

  // A number that is another one whenever the server has, or may have, restarted (a row of a Memory-engine table made
  // on first use does it: such a table forgets). Insert tokens are trusted within one life only.
  virtual Result<uint64_t> life() = 0;
  // The visits in `scope`, at most `limit` of them, latest first.
  virtual Result<std::vector<OpenVisit>> open_visits(const VisitScope& scope, uint64_t limit) = 0;
  // The first day (UTC; its beginning in Unix milliseconds) at or after that of `time` on which the project has events.
  virtual Result<std::optional<int64_t>> day_with_events(ProjectId project, int64_t time) = 0;
  // The rows of these visitors of a project at times in [from, until), by visitor, client session, time, hash, journal
  // and position. Read piece by piece; what is inserted meanwhile may be missing.
  virtual Result<> visit_rows(ProjectId project, std::span<const uint64_t> visitors, int64_t from, int64_t until,
                              const std::function<void(const VisitRow&)>& sink) = 0;
  // Writes the visit's columns of these rows of one project anew, in place. Positions and the number of rows stay.
  // After an error some may be written: call it again. One caller at a time.
  virtual Result<> rewrite_visits(ProjectId project, std::span<const VisitRow> rows) = 0;

  // The days in [from, until) on which projects have rows, of all projects or of one, by project and day.
  virtual Result<std::vector<ProjectDay>> days(std::optional<ProjectId> project, int64_t from, int64_t until) = 0;
  // The rows of one day of a project, by journal and position. Read piece by piece.
  virtual Result<> enriched_rows(const ProjectDay& of, const std::function<void(EnrichedRow&&)>& sink) = 0;
  // Writes the columns that enrichment gives of these rows of one project and day anew, in place and all at once.
  // Positions and the number of rows stay. After an error it may be done: call it again. One caller at a time.
  virtual Result<> rewrite_enrichment(const ProjectDay& of, std::span<const EnrichedRow> rows) = 0;

  // Makes the names that the public view shows follow the settings.
  virtual Result<> set_project_names(std::span<const std::pair<ProjectId, std::string>> names) = 0;

  // Which stretches of time the roll-ups say all of; null where there are none.
  virtual Coverage* coverage() { return nullptr; }

  // A statement of our own, trusted. The answer's bytes in `options.format`.
  virtual Result<std::string> query(std::string_view sql, const QueryOptions& options) = 0;

  // A statement of a person, already judged by query's guard: runs as a read-only user that sees the public views of
  // the given projects only (all of them when `projects` is null), enforced by ClickHouse. The body goes to `sink`
  // piece by piece (false cancels); the answer is its content type.
  virtual Result<std::string> user_query(std::string_view sql, const QueryOptions& options,
                                         const std::vector<ProjectId>* projects,
                                         const std::function<bool(std::string_view)>& sink) = 0;
  // ClickHouse's own parse of a person's statement: one node a line, indented by its depth, line ends in names escaped.
  // Errors: kBadInput (does not parse).
  virtual Result<std::string> explain_ast(std::string_view sql, const Parameters& parameters) = 0;
  // Why a person's SQL is refused altogether (no Landlock), or empty.
  virtual std::string user_sql_refused() const = 0;

  struct Health {
    uint64_t rows = 0;  // of the event table, as the next two
    uint64_t parts = 0;
    uint64_t bytes_on_disk = 0;
    uint64_t rollup_bytes = 0;  // of sums, visitors' numbers and rows kept for estimates
    uint64_t detached_parts = 0;
  };
  virtual Result<Health> health() = 0;
};

}  // namespace weir::store
