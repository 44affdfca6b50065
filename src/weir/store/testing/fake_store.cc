#include "weir/store/testing/fake_store.h"

#include <algorithm>
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
    rows_.insert(rows_.end(), rows->begin(), rows->begin() + static_cast<ptrdiff_t>(count));
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

Result<std::vector<OpenVisit>> FakeStore::open_visits(std::span<const uint32_t> p, int64_t since, uint64_t limit) {
  std::lock_guard lock(mutex_);
  if (auto here = check_away(); !here) return std::move(here).error();
  std::vector<const StoredRow*> rows;
  for (const StoredRow& row : rows_)
    if (std::find(p.begin(), p.end(), row.p) != p.end()) rows.push_back(&row);
  std::sort(rows.begin(), rows.end(), [](const StoredRow* a, const StoredRow* b) {
    return std::tie(a->timestamp, a->p, a->o) < std::tie(b->timestamp, b->p, b->o);
  });
  std::map<std::tuple<uint64_t, uint64_t, uint64_t>, OpenVisit> visits;
  for (const StoredRow* row : rows) {
    auto [at, added] = visits.try_emplace({row->project_id, row->visitor_id, row->session_id});
    OpenVisit& visit = at->second;
    if (added) visit.started = row->timestamp;
    visit.project_id = ProjectId{row->project_id};
    visit.visitor_id = row->visitor_id;
    visit.session_id = row->session_id;
    visit.client_session_id = row->text("client_session_id");
    visit.last = row->timestamp;
    ++visit.events;
    if (row->text("kind") != "pageview") continue;
    if (visit.entry_path.empty()) visit.entry_path = row->text("path");
    visit.last_path = row->text("path");
  }
  std::vector<OpenVisit> open;
  for (auto& [key, visit] : visits)
    if (visit.last >= since) open.push_back(std::move(visit));
  std::stable_sort(open.begin(), open.end(), [](const OpenVisit& a, const OpenVisit& b) { return a.last > b.last; });
  if (open.size() > limit) open.resize(limit);
  return open;
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
