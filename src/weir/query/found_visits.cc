#include "weir/query/found_visits.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <set>
#include <utility>

#include "weir/base/logging.h"
#include "weir/query/conditions.h"
#include "weir/query/kept_sample.h"
#include "weir/query/rollup_plan.h"

namespace weir::query {

using std::chrono::steady_clock;

namespace {
constexpr size_t kTablesMax = 8;
constexpr uint64_t kTablesFull = 2;  // as many rows as so many tables may have are kept in all
constexpr std::chrono::minutes kIdle{10};
constexpr std::string_view kPrefix = "found_";
constexpr std::string_view kAllRows = "weir_data.events";

// What lists and numbers of a page are made of. Of the numbers of a property, those that are an event's own.
constexpr std::array<std::string_view, 28> kColumns = {"project_id",     "timestamp",
                                                       "kind",           "name",
                                                       "visitor_id",     "session_id",
                                                       "visit_seq",      "visit_gap_ms",
                                                       "visit_bounce",   "hostname",
                                                       "path",           "entry_path",
                                                       "visit_source",   "visit_channel",
                                                       "visit_campaign", "utm_source",
                                                       "utm_medium",     "country",
                                                       "region",         "city",
                                                       "browser",        "os",
                                                       "device",         "screen",
                                                       "locale",         "traffic",
                                                       "revenue_amount", "revenue_currency"};
constexpr std::string_view kNumbers = "number_properties";
constexpr std::string_view kOwnNumbers =
    "mapFilter((k, v) -> k IN ('engaged_ms', 'scroll_depth'), number_properties) AS number_properties";

// What a page lists when it is filtered by the first.
constexpr std::array<std::pair<Attribute, Attribute>, 3> kDeeper = {{
    {Attribute::browser, Attribute::browser_version},
    {Attribute::os, Attribute::os_version},
    {Attribute::source, Attribute::referrer},
}};

using Columns = std::set<std::string_view>;

bool has_properties(const std::vector<Goal>& goals) {
  return std::any_of(goals.begin(), goals.end(), [](const Goal& goal) { return goal.property.has_value(); });
}

// Adds the columns that the filter looks at. False: it looks at more than the rows of found visits.
bool add_columns(const Question& question, const Filter& filter, Columns& columns) {
  switch (filter.kind) {
    case Filter::Kind::done:
    case Filter::Kind::not_done:
      return false;
    case Filter::Kind::leaf:
      switch (filter.dimension.attribute) {
        case Attribute::entry_page:
        case Attribute::exit_page:
          return true;
        case Attribute::goal:
          if (!has_properties(question.goals)) return true;
          [[fallthrough]];
        case Attribute::property:
          columns.insert({"text_properties", kNumbers});
          return true;
        case Attribute::revenue:
          return true;
        default:
          columns.insert(column_of(filter.dimension.attribute));
          for (auto [of, deeper] : kDeeper)
            if (filter.dimension.attribute == of) columns.insert(column_of(deeper));
          return true;
      }
    default:
      return std::all_of(filter.parts.begin(), filter.parts.end(),
                         [&](const Filter& part) { return add_columns(question, part, columns); });
  }
}

// Whether some of what the filter asks at its top does not count for rates (Conditions::filter).
bool drops_for_rates(const Question& question) {
  for (size_t i = 0; i < question.asked; ++i) {
    const Filter& part = question.filter.parts[i];
    if (part.kind == Filter::Kind::leaf &&
        (part.dimension.attribute == Attribute::goal || part.dimension.attribute == Attribute::property))
      return true;
  }
  return false;
}

bool are_enough(const Question& question, const Columns& columns) {
  for (const Dimension& dimension : question.dimensions) {
    switch (dimension.attribute) {
      case Attribute::time:
      case Attribute::entry_page:
      case Attribute::exit_page:
        break;
      case Attribute::goal:
        if (has_properties(question.goals) && !columns.contains("text_properties")) return false;
        break;
      case Attribute::property:
        if (!columns.contains("text_properties")) return false;
        break;
      default:
        if (!columns.contains(column_of(dimension.attribute))) return false;
    }
  }
  return std::all_of(question.metrics.begin(), question.metrics.end(), [&](Metric metric) {
    return (metric != Metric::conversion_rate && metric != Metric::group_conversion_rate) || !drops_for_rates(question);
  });
}

// The `columns` of the rows of `table` from `first` on, and before `until`, of the visits that began before
// `began_before` and have an event in the range for which the filter holds.
Statement rows_of(const Question& question, const Range& range, const Filter& filter, std::string_view table,
                  std::string_view columns, Seconds first, Seconds until, Seconds began_before) {
  Values values(Dialect::bound);
  Conditions conditions(question, range, Dialect::bound, values);
  Statement rows;
  rows.sql = fmt::format(
      "SELECT {0} FROM {8} WHERE {1} AND {2} AND {3} < {4} AND session_id IN (SELECT session_id FROM {8} WHERE {1} AND "
      "{5} AND {3} < {4} AND {6} AND {7})",
      columns, conditions.project(), within_sql(first, until), Conditions::kVisitStart, began_before,
      conditions.in_range(), conditions.traffic(), conditions.of(filter), table);
  rows.parameters = values.take();
  return rows;
}
}  // namespace

std::optional<FoundPlan> plan_found(const Question& question, const Range& range, Spans covered) {
  // What lists of pages and of events ask besides, the other lists of a page do not: it is asked of the rows that were
  // found.
  Filter filter;
  for (const Filter& part : question.filter.parts)
    if (!is_of_pages(part) && !is_of_events(part)) filter.parts.push_back(part);
  if (filter.parts.empty()) return std::nullopt;
  Columns columns(kColumns.begin(), kColumns.end());
  if (!add_columns(question, filter, columns) || !are_enough(question, columns)) return std::nullopt;

  // Until when all is covered from where visits that touch the range may have begun.
  const Seconds first = range.from - kVisitLength - 1;
  const Seconds end = range.to + kVisitLength + 1;
  Seconds until = first;
  std::string versions;
  for (const store::Coverage::Span& span : covered) {
    if (span.from > until || until >= end) break;
    if (span.to <= until) continue;
    until = span.to;
    versions += fmt::format(" {}", span.version);
  }
  until = std::min(until, end);
  if (until - range.from < (range.to - range.from) / 2) return std::nullopt;

  // Where all events that can match are covered, the visits are known, and only their later events are not. Else an
  // event that is still to come may be what makes a visit one of them: then those that began long enough before have no
  // events behind the covered time, and of the others all rows are read.
  const bool known = range.to <= until;
  const Seconds began_before = known ? range.to : until - kVisitLength - 1;
  FoundPlan plan;
  std::string made;
  for (std::string_view column : columns) {
    if (column == kNumbers) continue;
    plan.columns += fmt::format("{}, ", column);
  }
  const bool all_numbers = columns.contains(kNumbers);
  made = plan.columns + std::string(all_numbers ? kNumbers : kOwnNumbers);
  plan.columns += kNumbers;

  Values values(Dialect::bound);
  Conditions conditions(question, range, Dialect::bound, values);
  const std::string began = fmt::format("{} < {}", Conditions::kVisitStart, began_before);
  std::optional<std::string> kept;
  if (question.one_in >= kKeptOneIn) kept = kept_sample(question.project, first, until, covered);
  plan.rows = rows_of(question, range, filter, kept.value_or(std::string(kAllRows)), made, first, until, began_before);
  if (question.one_in == 1) {
    Question some = question;
    some.one_in = 64;  // fewer would not be told faster (sampling.h)
    kept = kept_sample(question.project, first, until, covered);
    plan.about = rows_of(some, range, filter, kept.value_or(std::string(kAllRows)),
                         fmt::format("count() * {}", some.one_in), first, until, began_before);
  }
  if (!known) {
    plan.rest = fmt::format("SELECT {} FROM weir_data.events WHERE {} AND {} AND {} >= {} AND {} < {}", plan.columns,
                            conditions.project(), within_sql(began_before, end), Conditions::kVisitStart, began_before,
                            Conditions::kVisitStart, range.to);
  } else if (until < end) {
    plan.rest = fmt::format(
        "SELECT {} FROM weir_data.events WHERE {} AND {} AND {} AND session_id IN (SELECT session_id FROM {{}} WHERE "
        "{})",
        plan.columns, conditions.project(), within_sql(until, end), began, within_sql(until - kVisitLength - 1, until));
  }
  plan.key = plan.rows.sql + versions;
  for (const auto& [name, value] : plan.rows.parameters) plan.key += fmt::format("\n{} {}", name, value);
  return plan;
}

std::string FoundVisits::source(const FoundPlan& plan, const Table& table) {
  if (plan.rest.empty()) return table.name;
  return fmt::format("(SELECT {} FROM {} UNION ALL {})", plan.columns, table.name,
                     fmt::format(fmt::runtime(plan.rest), table.name));
}

Result<std::string> FoundVisits::ask(const std::string& sql, store::QueryOptions options) {
  options.format = "TSV";
  return store_.query(sql, options);
}

Result<> FoundVisits::drop(const std::string& name) {
  auto dropped = ask("DROP TABLE IF EXISTS " + name);
  if (!dropped) return std::move(dropped).error();
  return {};
}

Result<> FoundVisits::drop_left() {
  {
    std::lock_guard lock(mutex_);
    if (clean_) return {};
  }
  auto names = ask(
      fmt::format("SELECT name FROM system.tables WHERE database = 'weir_data' AND startsWith(name, '{}')", kPrefix));
  if (!names) return std::move(names).error();
  for (std::string_view rest = *names; !rest.empty();) {
    const std::string_view name = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(name.size() + 1, rest.size()));
    if (auto dropped = drop(fmt::format("weir_data.{}", name)); !dropped) return dropped;
  }
  std::lock_guard lock(mutex_);
  clean_ = true;
  return {};
}

FoundVisits::Use FoundVisits::make(const FoundPlan& plan, const store::QueryOptions& options) {
  if (auto clean = sweep(); !clean) return nullptr;
  auto table = std::make_shared<Table>();
  {
    std::lock_guard lock(mutex_);
    table->name = fmt::format("weir_data.{}{}", kPrefix, next_++);
  }
  const auto began = steady_clock::now();
  if (!plan.about.sql.empty()) {
    store::QueryOptions about = options;
    about.parameters = plan.about.parameters;
    if (auto told = ask(plan.about.sql, about); told && std::strtoull(told->c_str(), nullptr, 10) > rows_max_) {
      log::debug("query: rows of found visits not set aside: about {}", *told);
      return nullptr;
    }
  }
  // Nothing of it has to outlive a power cut.
  auto created = ask(
      fmt::format("CREATE TABLE {} ENGINE = MergeTree ORDER BY tuple() SETTINGS auto_statistics_types = '' EMPTY AS "
                  "SELECT {} FROM weir_data.events",
                  table->name, plan.columns));
  store::QueryOptions of_rows = options;
  of_rows.parameters = plan.rows.parameters;
  Result<std::string> done = std::move(created);
  // Blocks are of a megabyte else: of so many columns too few rows, of which one in a hundred is kept.
  if (done)
    done = ask(fmt::format("INSERT INTO {} {} LIMIT {} SETTINGS enable_shared_storage_snapshot_in_query = 1, "
                           "insert_deduplicate = 0, max_block_size = 131072, preferred_block_size_bytes = 32000000",
                           table->name, plan.rows.sql, rows_max_ + 1),
               of_rows);
  if (done) done = ask("SELECT count() FROM " + table->name);
  if (done) std::from_chars(done->data(), done->data() + done->size(), table->rows);
  const double took = std::chrono::duration<double>(steady_clock::now() - began).count();
  if (done && table->rows <= rows_max_) {
    log::debug("query: {} rows of found visits set aside in {:.3f} s", table->rows, took);
    return table;
  }
  log::debug("query: rows of found visits not set aside: {}", done ? "too many" : done.error().message);
  if (auto dropped = drop(table->name); !dropped) {
    std::lock_guard lock(mutex_);
    dropped_.push_back(table);
  }
  return nullptr;
}

FoundVisits::Use FoundVisits::of(const FoundPlan& plan, bool make_it, const store::QueryOptions& options) {
  const auto deadline = steady_clock::now() + options.timeout;
  std::unique_lock lock(mutex_);
  while (true) {
    auto known = kept_.find(plan.key);
    if (known == kept_.end()) break;
    if (!known->second.making) {
      if (known->second.table) known->second.used = steady_clock::now();  // else it is tried again some time
      return known->second.table;
    }
    if (made_.wait_until(lock, std::min(deadline, steady_clock::now() + std::chrono::seconds(1))) ==
            std::cv_status::timeout &&
        (steady_clock::now() >= deadline || (options.abandoned && options.abandoned())))
      return nullptr;
  }
  if (!make_it) return nullptr;
  kept_[plan.key].making = true;
  lock.unlock();
  Use table = make(plan, options);
  lock.lock();
  kept_[plan.key] = {false, table, steady_clock::now()};
  made_.notify_all();
  return table;
}

bool FoundVisits::has(const FoundPlan& plan) {
  std::lock_guard lock(mutex_);
  const auto known = kept_.find(plan.key);
  return known != kept_.end() && known->second.table != nullptr;
}

void FoundVisits::forget(const Use& table) {
  std::lock_guard lock(mutex_);
  for (auto& [key, kept] : kept_)
    if (kept.table == table) kept.table = nullptr;
  dropped_.push_back(table);
}

Result<> FoundVisits::sweep() {
  if (auto clean = drop_left(); !clean) return clean;
  std::vector<Use> unused;
  {
    std::lock_guard lock(mutex_);
    auto let_go = [&](std::map<std::string, Kept>::iterator at) {
      if (at->second.table) dropped_.push_back(at->second.table);
      kept_.erase(at);
    };
    const auto now = steady_clock::now();
    size_t made = 0;
    uint64_t rows = 0;
    auto rows_of = [](const Kept& kept) { return kept.table ? kept.table->rows : 0; };
    for (auto at = kept_.begin(); at != kept_.end();) {
      const auto next = std::next(at);
      if (!at->second.making && now - at->second.used > kIdle) {
        let_go(at);
      } else if (!at->second.making) {
        ++made;
        rows += rows_of(at->second);
      }
      at = next;
    }
    for (; made > kTablesMax || rows > kTablesFull * rows_max_; --made) {
      auto oldest = kept_.end();
      for (auto at = kept_.begin(); at != kept_.end(); ++at)
        if (!at->second.making && (oldest == kept_.end() || at->second.used < oldest->second.used)) oldest = at;
      rows -= rows_of(oldest->second);
      let_go(oldest);
    }
    const auto used =
        std::partition(dropped_.begin(), dropped_.end(), [](const Use& table) { return table.use_count() > 1; });
    unused.assign(std::make_move_iterator(used), std::make_move_iterator(dropped_.end()));
    dropped_.erase(used, dropped_.end());
  }
  for (size_t i = 0; i < unused.size(); ++i) {
    if (auto dropped = drop(unused[i]->name); !dropped) {
      std::lock_guard lock(mutex_);
      dropped_.insert(dropped_.end(), unused.begin() + static_cast<std::ptrdiff_t>(i), unused.end());
      return dropped;
    }
  }
  return {};
}

}  // namespace weir::query
