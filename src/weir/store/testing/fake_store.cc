#include "weir/store/testing/fake_store.h"

#include <algorithm>
#include <iterator>
#include <tuple>

namespace weir::store::testing {

namespace {
constexpr size_t kTokensKept = 1000;  // the window of the real table
Error no_sql() { return {ErrorCode::kUnsupported, "store: the store of this test has no SQL"}; }
}  // namespace

void FakeStore::fail_inserts(size_t times, Error error, Left left) {
  std::lock_guard lock(mutex_);
  failures_ = times;
  failure_ = std::move(error);
  left_ = left;
}

void FakeStore::refuse_rows(std::function<bool(const StoredRow&)> refuse) {
  std::lock_guard lock(mutex_);
  refuse_ = std::move(refuse);
}

void FakeStore::set_away(bool away) {
  std::lock_guard lock(mutex_);
  away_ = away;
}

void FakeStore::before_insert(std::function<void(const Block&, std::string_view)> hook) {
  std::lock_guard lock(mutex_);
  before_insert_ = std::move(hook);
}

void FakeStore::restart() {
  std::lock_guard lock(mutex_);
  forget_tokens();
}

void FakeStore::forget_tokens() {
  ++life_;
  recent_tokens_.clear();
}

void FakeStore::lose_rows(const std::function<bool(const StoredRow&)>& lost) {
  std::lock_guard lock(mutex_);
  std::erase_if(rows_, lost);
}

std::vector<StoredRow> FakeStore::rows() const {
  std::lock_guard lock(mutex_);
  return rows_;
}

void FakeStore::look(const std::function<void(const std::vector<StoredRow>&)>& at) const {
  std::lock_guard lock(mutex_);
  at(rows_);
}

size_t FakeStore::row_count() const {
  std::lock_guard lock(mutex_);
  return rows_.size();
}

size_t FakeStore::insert_count() const {
  std::lock_guard lock(mutex_);
  return inserts_;
}

std::vector<std::string> FakeStore::tokens() const {
  std::lock_guard lock(mutex_);
  return tokens_;
}

std::map<uint64_t, std::string> FakeStore::project_names() const {
  std::lock_guard lock(mutex_);
  return names_;
}

Result<> FakeStore::check_away() const {
  if (away_) return Error{ErrorCode::kUnavailable, "store: away"};
  return {};
}

Result<> FakeStore::migrate() {
  std::lock_guard lock(mutex_);
  return check_away();
}

void FakeStore::hide_open_visits(std::optional<Error> error) {
  std::lock_guard lock(mutex_);
  hidden_ = std::move(error);
}

bool FakeStore::up() const {
  std::lock_guard lock(mutex_);
  return !away_;
}

Result<uint32_t> FakeStore::journal_number(const JournalKey& key) {
  std::lock_guard lock(mutex_);
  if (auto here = check_away(); !here) return std::move(here).error();
  for (const JournalRow& row : journals_)
    if (row.key.uuid == key.uuid && row.key.topic == key.topic && row.key.partition == key.partition &&
        row.key.epoch == key.epoch)
      return row.p;
  auto p = static_cast<uint32_t>(journals_.size() + 1);
  journals_.push_back({p, key});
  return p;
}

Result<std::vector<JournalRow>> FakeStore::journals() {
  std::lock_guard lock(mutex_);
  if (auto here = check_away(); !here) return std::move(here).error();
  return journals_;
}

Result<> FakeStore::insert(const Block& block, std::string_view token, std::optional<uint64_t> life) {
  std::function<void(const Block&, std::string_view)> hook;
  {
    std::lock_guard lock(mutex_);
    hook = before_insert_;
  }
  if (hook) hook(block, token);
  auto rows = rows_of(block);
  if (!rows) return std::move(rows).error();

  std::lock_guard lock(mutex_);
  if (auto here = check_away(); !here) return here;
  ++inserts_;
  if (life && *life != life_) return Error{ErrorCode::kConflict, "store: insert: the server has restarted"};
  if (rows->empty()) {
    if (failures_ == 0) return {};
    --failures_;
    return failure_;
  }
  if (refuse_ && std::any_of(rows->begin(), rows->end(), refuse_))
    return Error{ErrorCode::kBadInput, "store: insert: a row is refused"};
  Left left = Left::everything;
  if (failures_ > 0) left = left_;
  bool known = std::find(recent_tokens_.begin(), recent_tokens_.end(), token) != recent_tokens_.end();
  if (!known && left != Left::nothing) {
    size_t count = left == Left::half ? rows->size() / 2 : rows->size();
    rows_.insert(rows_.end(), std::make_move_iterator(rows->begin()),
                 std::make_move_iterator(rows->begin() + static_cast<ptrdiff_t>(count)));
    tokens_.emplace_back(token);
    if (left == Left::everything && !token.empty()) recent_tokens_.emplace_back(token);
    if (recent_tokens_.size() > kTokensKept) recent_tokens_.pop_front();
    if (left == Left::half) forget_tokens();
  }
  if (failures_ > 0) {
    --failures_;
    return failure_;
  }
  return {};
}

Result<std::vector<RangeCount>> FakeStore::count_positions(uint32_t p, uint64_t first, uint64_t next, uint64_t step) {
  if (step == 0) return Error{ErrorCode::kBadInput, "store: count positions: step 0"};
  std::lock_guard lock(mutex_);
  if (auto here = check_away(); !here) return std::move(here).error();
  std::map<uint64_t, uint64_t> counts;
  for (const StoredRow& row : rows_)
    if (row.p == p && row.o >= first && row.o < next) ++counts[(row.o - first) / step];
  std::vector<RangeCount> ranges;
  for (auto [run, rows] : counts) {
    uint64_t from = first + run * step;
    ranges.push_back({from, next - from < step ? next : from + step, rows});
  }
  return ranges;
}

Result<std::vector<uint64_t>> FakeStore::positions(uint32_t p, uint64_t first, uint64_t next) {
  std::lock_guard lock(mutex_);
  if (auto here = check_away(); !here) return std::move(here).error();
  std::set<uint64_t> found;
  for (const StoredRow& row : rows_)
    if (row.p == p && row.o >= first && row.o < next) found.insert(row.o);
  return std::vector<uint64_t>(found.begin(), found.end());
}

Result<uint64_t> FakeStore::end_position(uint32_t p) {
  std::lock_guard lock(mutex_);
  if (auto here = check_away(); !here) return std::move(here).error();
  uint64_t end = 0;
  for (const StoredRow& row : rows_)
    if (row.p == p) end = std::max(end, row.o + 1);
  return end;
}

Result<uint64_t> FakeStore::life() {
  std::lock_guard lock(mutex_);
  if (auto here = check_away(); !here) return std::move(here).error();
  return life_;
}

Result<std::vector<OpenVisit>> FakeStore::open_visits(const VisitScope& scope, uint64_t limit) {
  std::lock_guard lock(mutex_);
  if (auto here = check_away(); !here) return std::move(here).error();
  if (hidden_) return *hidden_;
  std::vector<const StoredRow*> rows;
  for (const StoredRow& row : rows_)
    if (row.timestamp < scope.until && (!scope.project || number(*scope.project) == row.project_id))
      rows.push_back(&row);
  std::sort(rows.begin(), rows.end(), [](const StoredRow* a, const StoredRow* b) {
    return std::tie(a->timestamp, a->visit_seq) < std::tie(b->timestamp, b->visit_seq);
  });
  std::map<std::tuple<uint64_t, uint64_t, std::string_view, uint64_t>, OpenVisit> visits;
  for (const StoredRow* row : rows) {
    OpenVisit& visit = visits[{row->project_id, row->visitor_id, row->text("client_session_id"), row->session_id}];
    visit.project_id = ProjectId{row->project_id};
    visit.visitor_id = row->visitor_id;
    visit.session_id = row->session_id;
    visit.client_session_id = row->text("client_session_id");
    visit.last = row->timestamp;
    ++visit.events;
    visit.entry_path = row->text("entry_path");
    visit.source = row->text("visit_source");
    visit.channel = row->text("visit_channel");
    visit.campaign = row->text("visit_campaign");
    const std::string_view kind = row->text("kind");
    if (kind == "pageview" || kind == "event") ++visit.interactions;
    if (kind != "pageview") continue;
    ++visit.pageviews;
    visit.last_path = row->text("path");
  }
  std::vector<OpenVisit> open;
  for (auto& [key, visit] : visits)
    if (visit.last >= scope.since) open.push_back(std::move(visit));
  std::stable_sort(open.begin(), open.end(), [](const OpenVisit& a, const OpenVisit& b) { return a.last > b.last; });
  if (open.size() > limit) open.resize(limit);
  return open;
}

Result<std::optional<int64_t>> FakeStore::day_with_events(ProjectId project, int64_t time) {
  std::lock_guard lock(mutex_);
  if (auto here = check_away(); !here) return std::move(here).error();
  constexpr int64_t kDay = 86'400'000;
  std::optional<int64_t> day;
  for (const StoredRow& row : rows_)
    if (row.project_id == number(project) && row.timestamp / kDay >= time / kDay)
      day = std::min(day.value_or(INT64_MAX), row.timestamp / kDay * kDay);
  return day;
}

namespace {
VisitRow visit_row_of(const StoredRow& stored) {
  VisitRow row;
  row.project_id = ProjectId{stored.project_id};
  row.visitor_id = stored.visitor_id;
  row.client_session_id = stored.text("client_session_id");
  row.time = stored.timestamp;
  row.hash = stored.hash;
  event::parse_kind(stored.text("kind"), row.kind);
  row.path = stored.text("path");
  row.source = stored.text("source");
  row.channel = stored.text("channel");
  row.campaign = stored.text("utm_campaign");
  row.p = stored.p;
  row.o = stored.o;
  row.session_id = stored.session_id;
  row.visit_seq = stored.visit_seq;
  row.visit_gap_ms = stored.visit_gap_ms;
  row.visit_bounce = stored.visit_bounce;
  row.entry_path = stored.text("entry_path");
  row.previous_path = stored.text("previous_path");
  row.visit_source = stored.text("visit_source");
  row.visit_channel = stored.text("visit_channel");
  row.visit_campaign = stored.text("visit_campaign");
  return row;
}
}  // namespace

Result<> FakeStore::visit_rows(ProjectId project, std::span<const uint64_t> visitors, int64_t from, int64_t until,
                               const std::function<void(const VisitRow&)>& sink) {
  std::vector<VisitRow> found;
  {
    std::lock_guard lock(mutex_);
    if (auto here = check_away(); !here) return here;
    const std::set<uint64_t> wanted(visitors.begin(), visitors.end());
    struct Ordered {
      const StoredRow* row;
      std::string_view client_session_id;
    };
    std::vector<Ordered> rows;
    for (const StoredRow& row : rows_)
      if (row.project_id == number(project) && row.timestamp >= from && row.timestamp < until &&
          wanted.contains(row.visitor_id))
        rows.push_back({&row, row.text("client_session_id")});
    std::sort(rows.begin(), rows.end(), [](const Ordered& x, const Ordered& y) {
      const StoredRow& a = *x.row;
      const StoredRow& b = *y.row;
      return std::tie(a.visitor_id, x.client_session_id, a.timestamp, a.hash, a.p, a.o) <
             std::tie(b.visitor_id, y.client_session_id, b.timestamp, b.hash, b.p, b.o);
    });
    found.reserve(rows.size());
    for (const Ordered& one : rows) found.push_back(visit_row_of(*one.row));
  }
  for (const VisitRow& row : found) sink(row);
  return {};
}

Result<> FakeStore::rewrite_visits(ProjectId project, std::span<const VisitRow> rows) {
  std::lock_guard lock(mutex_);
  if (auto here = check_away(); !here) return here;
  std::map<std::pair<uint32_t, uint64_t>, const VisitRow*> changes;
  for (const VisitRow& row : rows) changes[{row.p, row.o}] = &row;
  for (StoredRow& stored : rows_) {
    auto at = changes.find({stored.p, stored.o});
    if (at == changes.end() || stored.project_id != number(project)) continue;
    const VisitRow& row = *at->second;
    stored.session_id = row.session_id;
    stored.visit_seq = row.visit_seq;
    stored.visit_gap_ms = row.visit_gap_ms;
    stored.visit_bounce = row.visit_bounce;
    stored.texts.set("entry_path", row.entry_path);
    stored.texts.set("previous_path", row.previous_path);
    stored.texts.set("visit_source", row.visit_source);
    stored.texts.set("visit_channel", row.visit_channel);
    stored.texts.set("visit_campaign", row.visit_campaign);
  }
  return {};
}

Result<std::vector<ProjectDay>> FakeStore::days(std::optional<ProjectId> project, int64_t from, int64_t until) {
  std::lock_guard lock(mutex_);
  if (auto here = check_away(); !here) return std::move(here).error();
  constexpr int64_t kDay = 86'400'000;
  std::map<std::pair<uint64_t, int64_t>, uint64_t> counts;
  for (const StoredRow& row : rows_)
    if ((!project || row.project_id == number(*project)) && row.timestamp >= from && row.timestamp < until)
      ++counts[{row.project_id, row.timestamp / kDay * kDay}];
  std::vector<ProjectDay> days;
  for (const auto& [key, rows] : counts) days.push_back({ProjectId{key.first}, key.second, rows});
  return days;
}

Result<> FakeStore::enriched_rows(const ProjectDay& of, const std::function<void(EnrichedRow&&)>& sink) {
  std::vector<EnrichedRow> found;
  {
    std::lock_guard lock(mutex_);
    if (auto here = check_away(); !here) return here;
    for (const StoredRow& stored : rows_) {
      if (stored.project_id != number(of.project_id) || stored.timestamp / 86'400'000 != of.day / 86'400'000) continue;
      EnrichedRow row;
      row.project_id = of.project_id;
      row.visitor_id = stored.visitor_id;
      row.time = stored.timestamp;
      row.p = stored.p;
      row.o = stored.o;
      row.names_its_user = !stored.text("user_id").empty() || !stored.text("anonymous_id").empty();
      row.hostname = stored.text("hostname");
      row.path = stored.text("path");
      row.referrer = stored.text("referrer");
      row.screen = stored.text("screen");
      row.utm_source = stored.text("utm_source");
      row.utm_medium = stored.text("utm_medium");
      row.utm_campaign = stored.text("utm_campaign");
      row.click_id = stored.text("click_id");
      for (size_t i = 0; i < row.found.size(); ++i) row.found[i] = stored.text(enriched_columns()[i]);
      found.push_back(std::move(row));
    }
  }
  std::sort(found.begin(), found.end(),
            [](const EnrichedRow& a, const EnrichedRow& b) { return std::tie(a.p, a.o) < std::tie(b.p, b.o); });
  for (EnrichedRow& row : found) sink(std::move(row));
  return {};
}

Result<> FakeStore::rewrite_enrichment(const ProjectDay& of, std::span<const EnrichedRow> rows) {
  std::lock_guard lock(mutex_);
  if (auto here = check_away(); !here) return here;
  std::map<std::pair<uint32_t, uint64_t>, const EnrichedRow*> changes;
  for (const EnrichedRow& row : rows) changes[{row.p, row.o}] = &row;
  for (StoredRow& stored : rows_) {
    auto at = changes.find({stored.p, stored.o});
    if (at == changes.end() || stored.project_id != number(of.project_id)) continue;
    for (size_t i = 0; i < at->second->found.size(); ++i) stored.texts.set(enriched_columns()[i], at->second->found[i]);
  }
  return {};
}

Result<> FakeStore::set_project_names(std::span<const std::pair<ProjectId, std::string>> names) {
  std::lock_guard lock(mutex_);
  if (auto here = check_away(); !here) return here;
  names_.clear();
  for (const auto& [id, name] : names) names_[number(id)] = name;
  return {};
}

Result<std::string> FakeStore::query(std::string_view, const QueryOptions&) { return no_sql(); }
Result<std::string> FakeStore::user_query(std::string_view, const QueryOptions&, const std::vector<ProjectId>*,
                                          const std::function<bool(std::string_view)>&) {
  return no_sql();
}
Result<std::string> FakeStore::explain_ast(std::string_view, const Parameters&) { return no_sql(); }

Result<Store::Health> FakeStore::health() {
  std::lock_guard lock(mutex_);
  if (auto here = check_away(); !here) return std::move(here).error();
  Health health;
  health.rows = rows_.size();
  health.parts = rows_.empty() ? 0 : 1;
  return health;
}

}  // namespace weir::store::testing
