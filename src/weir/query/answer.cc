#include "weir/query/answer.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>
#include <unordered_map>

#include "weir/base/logging.h"
#include "weir/query/conditions.h"
#include "weir/query/json_text.h"
#include "weir/query/kept_sample.h"
#include "weir/query/sampling.h"
#include "weir/query/statement.h"

namespace weir::query {

namespace json = boost::json;

namespace {
constexpr size_t kRestrictionRowsMax = 2'000;
constexpr size_t kRestrictionBytesMax = 100 * 1024;
// What the store says when all of its memory is taken, and not just what one statement may have.
constexpr std::string_view kNoMemoryAtAll = "(total)";
constexpr std::string_view kMixed = "mixed";  // what a statement says of sums in several currencies

store::QueryOptions options_of(const AskLimits& limits, store::Parameters parameters, std::string_view format,
                               uint64_t* rows_read) {
  store::QueryOptions options;
  options.format = format;
  options.parameters = std::move(parameters);
  options.timeout = limits.timeout;
  options.urgency = store::Urgency::awaited;
  options.rows_read_max = limits.rows_read_max;
  options.memory_bytes_max = limits.memory_bytes_max;
  options.abandoned = limits.abandoned;
  options.rows_read = rows_read;
  return options;
}

// Answers never show the store's own words about a statement: they hold pieces of it.
Error without_sql(Error error) {
  switch (error.code) {
    case ErrorCode::kTimeout:
      error.message = "query: the answer took too long; take a shorter range or fewer dimensions and filters";
      break;
    case ErrorCode::kTooLarge:
      if (error.message.find(kNoMemoryAtAll) != std::string::npos)
        return {ErrorCode::kOverloaded, "query: the store has no memory left for this at the moment"};
      error.message =
          "query: the answer takes more rows or more memory than one question may; take a shorter range or fewer "
          "dimensions and filters";
      break;
    case ErrorCode::kOverloaded:
      error.message = "query: the store has too much to do at the moment";
      break;
    case ErrorCode::kUnavailable:
      log::debug("query: {}", error.message);
      error.message = "query: the store does not answer at the moment";
      break;
    default:
      log::error("query: {}", error.message);
      error = {ErrorCode::kUnavailable, "query: the store could not answer this question; weir's log says why"};
      break;
  }
  return error;
}

// What the store answers to a statement that gives the same for ever, or `find`s.
Result<std::string> kept(const AskLimits& limits, const std::string& statement, const KeptAnswers::Find& find) {
  return limits.kept == nullptr ? find() : limits.kept->of(statement, find);
}

Result<std::string> run(store::Store& store, Statement statement, const AskLimits& limits, std::string_view format,
                        uint64_t* rows_read = nullptr) {
  for (const auto& [name, sql] : statement.totals) {
    auto find = [&, &text = sql]() { return store.query(text, options_of(limits, {}, "TSV", nullptr)); };
    auto total = kept(limits, sql, find);
    if (!total) return without_sql(std::move(total).error());
    statement.parameters.emplace_back(name, std::to_string(std::strtoull(total->c_str(), nullptr, 10)));
  }
  auto find = [&]() {
    return store.query(
        statement.sql +
            " SETTINGS output_format_json_quote_64bit_integers = 0, enable_shared_storage_snapshot_in_query = 1",
        options_of(limits, statement.parameters, format, rows_read));
  };
  std::string whole;
  if (statement.lasting) {
    whole = fmt::format("{} {}", format, statement.sql);
    for (const auto& [name, value] : statement.parameters)
      whole += fmt::format("\n{} {} {}", name, value.size(), value);
  }
  auto answer = statement.lasting ? kept(limits, whole, find) : find();
  if (!answer) return without_sql(std::move(answer).error());
  return answer;
}

// What the project's roll-ups say all of. Shortly after a start they are still compared with their rows: to wait for
// that is quicker than to look through those.
std::vector<store::Coverage::Span> spans_of(store::Store& store, const Question& question, const AskLimits& limits) {
  const store::Coverage* coverage = store.coverage();
  if (coverage == nullptr) return {};
  coverage->await_trust(question.project, question.range.from, question.range.to, limits.timeout / 2, limits.abandoned);
  return coverage->spans(question.project);
}

Cell cell_of(const json::value& value) {
  switch (value.kind()) {
    case json::kind::int64:
      return value.get_int64();
    case json::kind::uint64:
      return static_cast<double>(value.get_uint64());
    case json::kind::double_:
      return value.get_double();
    case json::kind::string:
      return std::string(view(value.get_string()));
    default:
      return std::monostate();
  }
}

Cell money_of(const json::value& value, bool& mixed) {
  if (!value.is_string()) return std::monostate();
  const std::string_view text = view(value.get_string());
  size_t space = text.find(' ');
  if (space == std::string_view::npos) {
    mixed = mixed || text == kMixed;
    return std::monostate();
  }
  return Money{std::string(text.substr(0, space)), std::string(text.substr(space + 1))};
}

std::optional<double> number_in(const Cell& cell) {
  if (const auto* number = std::get_if<int64_t>(&cell)) return static_cast<double>(*number);
  if (const auto* number = std::get_if<double>(&cell)) return *number;
  if (const auto* money = std::get_if<Money>(&cell)) return std::strtod(money->amount.c_str(), nullptr);
  return std::nullopt;
}

// How far each metric may be from the truth: behind the row's own cells stand what each group of a sample's visitors
// says of each metric, and how many of them were looked at.
std::vector<std::optional<double>> errors_of(const Question& question, const AnswerRow& row,
                                             std::span<const json::value> cells) {
  std::vector<std::optional<double>> errors;
  const json::value& looked_at = cells[question.metrics.size()];
  for (size_t i = 0; i < question.metrics.size(); ++i) {
    std::vector<std::optional<double>> groups;
    bool mixed = false;
    if (const json::array* values = cells[i].if_array())
      for (const json::value& value : *values)
        groups.push_back(number_in(is_money(question.metrics[i]) ? money_of(value, mixed) : cell_of(value)));
    errors.push_back(mixed ? std::nullopt
                           : sampling_error(question.metrics[i], number_in(row.metrics[i]), groups,
                                            looked_at.is_int64() ? static_cast<uint64_t>(looked_at.get_int64()) : 0,
                                            question.one_in));
  }
  return errors;
}

struct Rows {
  std::vector<AnswerRow> rows;
  uint64_t total = 0;
  bool mixed = false;
};

Result<Rows> read_rows(const Question& question, std::string_view lines) {
  Rows read;
  while (!lines.empty()) {
    size_t end = std::min(lines.find('\n'), lines.size());
    boost::system::error_code error;
    json::value value = json::parse(lines.substr(0, end), error);
    lines.remove_prefix(std::min(end + 1, lines.size()));
    const json::array* cells = error ? nullptr : value.if_array();
    const size_t estimates = question.one_in > 1 ? question.metrics.size() + 1 : 0;
    if (cells == nullptr || cells->size() != question.dimensions.size() + question.metrics.size() + estimates + 1)
      return Error{ErrorCode::kUnavailable, "query: cannot read the store's answer"};
    AnswerRow row;
    size_t at = 0;
    for (; at < question.dimensions.size(); ++at) row.dimensions.push_back(cell_of((*cells)[at]));
    for (Metric metric : question.metrics) {
      const json::value& cell = (*cells)[at++];
      row.metrics.push_back(is_money(metric) ? money_of(cell, read.mixed) : cell_of(cell));
    }
    if (estimates > 0) row.errors = errors_of(question, row, std::span(cells->data() + at, estimates));
    if (const json::value& total = (*cells)[at + estimates]; total.is_int64())
      read.total = static_cast<uint64_t>(total.get_int64());
    read.rows.push_back(std::move(row));
  }
  return read;
}

// What a comparison is found by: the dimensions as they are shown, time by its place in the range.
std::string key_of(const Question& question, const std::vector<Cell>& dimensions,
                   const std::unordered_map<std::string, size_t>& places) {
  std::string key;
  for (size_t i = 0; i < dimensions.size(); ++i) {
    if (const auto* text = std::get_if<std::string>(&dimensions[i])) {
      const bool stretch = question.dimensions[i].attribute == Attribute::time;
      auto place = stretch ? places.find(*text) : places.end();
      key += place == places.end() ? *text : std::to_string(place->second);
    } else if (const auto* number = std::get_if<int64_t>(&dimensions[i])) {
      key += std::to_string(*number);
    }
    key.push_back('\0');
  }
  return key;
}

std::unordered_map<std::string, size_t> places_of(const std::vector<Slot>& slots) {
  std::unordered_map<std::string, size_t> places;
  for (size_t i = 0; i < slots.size(); ++i) places.emplace(slots[i].label, i);
  return places;
}

Cell change_of(Metric metric, const Cell& now, const Cell& before) {
  auto a = number_in(before);
  auto b = number_in(now);
  if (!a || !b) return std::monostate();
  if (is_rate(metric)) return std::round((*b - *a) * 100) / 100;
  if (*a == 0) return static_cast<int64_t>(*b > 0 ? 100 : 0);
  // Nothing has more digits than money, which has six: in whole millionths a half is one. Rounded away from 0.
  constexpr double kMillionths = 1e6;
  if (std::abs(*a) < 1e9 && std::abs(*b) < 1e9 && std::abs(*a) >= 1 / kMillionths) {
    const int64_t from = std::llround(*a * kMillionths);
    const int64_t grown = (std::llround(*b * kMillionths) - from) * 100;
    const int64_t percent = (2 * std::abs(grown) + std::abs(from)) / (2 * std::abs(from));
    return (grown < 0) == (from < 0) ? percent : -percent;
  }
  constexpr double kMost = 1e15;
  return static_cast<int64_t>(std::llround(std::clamp((*b - *a) / *a * 100, -kMost, kMost)));
}

ShownRows restriction_of(const Question& question, const std::vector<AnswerRow>& rows) {
  ShownRows shown;
  size_t bytes = 0;
  if (rows.size() > kRestrictionRowsMax) return {};
  for (const AnswerRow& row : rows) {
    std::vector<std::string> texts;
    for (size_t i = 0; i < row.dimensions.size(); ++i) {
      const auto* text = std::get_if<std::string>(&row.dimensions[i]);
      texts.push_back(text != nullptr && question.dimensions[i].attribute != Attribute::time ? *text : std::string());
      bytes += texts.back().size() + 4;
    }
    shown.push_back(std::move(texts));
  }
  return bytes > kRestrictionBytesMax ? ShownRows() : shown;
}

// How the question over one of its ranges is to be answered: by a statement, or the same of rows that are set aside.
struct Way {
  Statement statement;
  std::optional<FoundPlan> found;
};

// The rows that are kept for samples, of all visits that touch the range.
std::optional<std::string> kept_of(const Question& question, const Range& range, Spans covered) {
  return kept_sample(question.project, range.from - kVisitLength - 1, range.to + kVisitLength + 1, covered);
}

Way way_of(const Question& question, const Range& range, const ShownRows* only, const AskLimits& limits,
           Spans covered) {
  std::optional<std::string> kept;
  if (question.one_in >= kKeptOneIn) kept = kept_of(question, range, covered);
  Way way{write_statement(question, range, Dialect::bound, only, covered, kept.value_or(std::string())), std::nullopt};
  if (!way.statement.rolled_up && limits.found != nullptr) way.found = plan_found(question, range, covered);
  return way;
}

// What the store says; `answer` learns how it was found.
Result<std::string> lines_of(store::Store& store, const Question& question, const Range& range, const ShownRows* only,
                             Way way, const AskLimits& limits, Answer& answer) {
  constexpr std::string_view kForm = "JSONCompactEachRow";
  answer.rolled_up = way.statement.rolled_up;
  if (way.found) {
    if (auto table =
            limits.found->of(*way.found, question.more_follow, options_of(limits, {}, {}, &answer.rows_read))) {
      Statement narrow =
          write_statement(question, range, Dialect::bound, only, {}, FoundVisits::source(*way.found, *table));
      auto lines = run(store, std::move(narrow), limits, kForm, &answer.rows_read);
      answer.set_aside = lines.has_value();
      if (lines || lines.error().code != ErrorCode::kUnavailable) return lines;
      limits.found->forget(table);  // a store that was made anew has none
    }
  }
  return run(store, std::move(way.statement), limits, kForm, &answer.rows_read);
}

// Each row's counterpart in the range it is compared with; without one, nothing happened there.
Result<> compare(store::Store& store, const Question& question, const AskLimits& limits, Spans covered,
                 Answer& answer) {
  ShownRows only = restriction_of(question, answer.rows);
  Answer other;  // how this one is found is not told
  Way way = way_of(question, question.compared, &only, limits, covered);
  auto lines = lines_of(store, question, question.compared, &only, std::move(way), limits, other);
  answer.rows_read += other.rows_read;
  if (!lines) return std::move(lines).error();
  auto before = read_rows(question, *lines);
  if (!before) return std::move(before).error();
  std::vector<Slot> slots;
  if (const Dimension* time = question.time()) {
    auto found = slots_of(question.zone, question.compared, time->bucket);
    if (!found) return std::move(found).error();
    slots = std::move(*found);
  }
  const auto places = places_of(answer.slots);
  const auto places_before = places_of(slots);
  std::unordered_map<std::string, size_t> at;
  for (size_t i = 0; i < before->rows.size(); ++i)
    at.emplace(key_of(question, before->rows[i].dimensions, places_before), i);
  for (AnswerRow& row : answer.rows) {
    Compared compared;
    auto found = at.find(key_of(question, row.dimensions, places));
    if (found != at.end()) {
      compared.dimensions = before->rows[found->second].dimensions;
      compared.metrics = before->rows[found->second].metrics;
    } else {
      compared.dimensions = row.dimensions;
      for (size_t i = 0; i < row.dimensions.size(); ++i) {
        const auto* text = std::get_if<std::string>(&row.dimensions[i]);
        if (question.dimensions[i].attribute != Attribute::time || text == nullptr) continue;
        auto place = places.find(*text);
        compared.dimensions[i] =
            place != places.end() && place->second < slots.size() ? Cell(slots[place->second].label) : Cell();
      }
      for (size_t i = 0; i < question.metrics.size(); ++i) {
        compared.metrics.push_back(is_count(question.metrics[i]) ? Cell(int64_t{0}) : Cell());
      }
    }
    for (size_t i = 0; i < question.metrics.size(); ++i)
      compared.change.push_back(change_of(question.metrics[i], row.metrics[i], compared.metrics[i]));
    row.compared = std::move(compared);
  }
  answer.total_rows = std::max<uint64_t>(answer.total_rows, answer.rows.size());
  return {};
}

Result<> cover(store::Store& store, const Question& question, const AskLimits& limits, Spans covered, Answer& answer) {
  auto lines =
      run(store, write_coverage(question, Dialect::bound, covered), limits, "JSONCompactEachRow", &answer.rows_read);
  if (!lines) return std::move(lines).error();
  std::string_view rest = *lines;
  while (!rest.empty()) {
    size_t end = std::min(rest.find('\n'), rest.size());
    boost::system::error_code error;
    json::value value = json::parse(rest.substr(0, end), error);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const json::array* cells = error ? nullptr : value.if_array();
    if (cells == nullptr || cells->size() != 2 || !(*cells)[0].is_string() || !(*cells)[1].is_int64())
      return Error{ErrorCode::kUnavailable, "query: cannot read the store's answer"};
    answer.coverage.emplace_back(view((*cells)[0].get_string()), (*cells)[1].get_int64());
  }
  return {};
}

// Of how many visitors one is to be looked at: where the answer is to be found in so many rows that an estimate is
// wanted first. 1: all.
uint32_t one_in(store::Store& store, const Question& question, const Way& way, const AskLimits& limits, Spans covered) {
  if (!question.may_sample || limits.sample_rows == 0 || way.statement.rolled_up) return 1;
  if (way.found && limits.found->has(*way.found)) return 1;
  Values values(Dialect::bound);
  Conditions conditions(question, question.range, Dialect::bound, values);
  const std::string sql =
      fmt::format("SELECT sum(rows) FROM (EXPLAIN ESTIMATE SELECT session_id FROM weir_data.events WHERE {} AND {})",
                  conditions.project(), conditions.in_range());
  auto find = [&]() { return store.query(sql, options_of(limits, values.take(), "TSV", nullptr)); };
  constexpr UnixMillis kKept = 600'000;
  auto told = kept(limits, sql + std::to_string(question.now / kKept), find);
  const uint64_t rows = told ? std::strtoull(told->c_str(), nullptr, 10) : 0;  // who cannot tell answers exactly
  if (rows < limits.sample_rows) return 1;
  const uint32_t one_in = sample_one_in(rows, limits.sample_rows);
  return one_in < kKeptOneIn && kept_of(question, question.range, covered) ? kKeptOneIn : one_in;
}

// When the project's first event was. Its first day stands in the index.
Result<std::optional<UnixMillis>> first_event_of(store::Store& store, ProjectId project, const AskLimits& limits) {
  auto day = store.day_with_events(project, 0);
  if (!day) return without_sql(std::move(day).error());
  if (!*day) return std::optional<UnixMillis>();
  Statement statement{
      "SELECT toUnixTimestamp64Milli(min(timestamp)) FROM weir_data.events WHERE project_id = {project:UInt64} AND "
      "toDate(timestamp) = toDate({day:UInt16})",
      {{"project", to_string(project)}, {"day", std::to_string(**day / kMillisPerDay)}}};
  auto moment = run(store, std::move(statement), limits, "TSV");
  if (!moment) return std::move(moment).error();
  return std::optional<UnixMillis>(std::strtoll(moment->c_str(), nullptr, 10));
}
}  // namespace

Result<Answer> ask(store::Store& store, const Question& question, const AskLimits& limits) {
  const auto began = std::chrono::steady_clock::now();
  Answer answer;
  const bool needs_slots = question.with_time_labels || question.comparing != Comparing::none;
  if (const Dimension* time = question.time(); time != nullptr && needs_slots) {
    auto slots = slots_of(question.zone, question.range, time->bucket);
    if (!slots) return std::move(slots).error();
    answer.slots = std::move(*slots);
  }
  const std::vector<store::Coverage::Span> covered = spans_of(store, question, limits);
  Way way = way_of(question, question.range, nullptr, limits, covered);
  std::optional<Question> sampled;
  answer.one_in = one_in(store, question, way, limits, covered);
  if (answer.one_in > 1) {
    sampled = question;
    sampled->one_in = answer.one_in;
    way = way_of(*sampled, question.range, nullptr, limits, covered);
  }
  const Question& asked = sampled ? *sampled : question;
  auto lines = lines_of(store, asked, question.range, nullptr, std::move(way), limits, answer);
  if (!lines) return std::move(lines).error();
  auto rows = read_rows(asked, *lines);
  if (!rows) return std::move(rows).error();
  answer.rows = std::move(rows->rows);
  answer.total_rows = rows->total;
  if (rows->mixed)
    answer.warnings.emplace_back("revenue: there are several currencies; ask by event:currency or for one goal");
  if (answer.rows.empty() && question.with_total_rows && question.offset > 0 && !sampled) {
    auto counted = run(store, write_count(question, covered), limits, "TSV");
    if (!counted) return std::move(counted).error();
    answer.total_rows = std::strtoull(counted->c_str(), nullptr, 10);
  }
  if (question.comparing != Comparing::none)
    if (auto compared = compare(store, asked, limits, covered, answer); !compared) return std::move(compared).error();
  if (question.with_coverage)
    if (auto found = cover(store, question, limits, covered, answer); !found) return std::move(found).error();
  if (question.with_sql) {
    answer.sql.push_back(write_statement(question, question.range, Dialect::public_).sql);
    if (question.comparing != Comparing::none)
      answer.sql.push_back(write_statement(question, question.compared, Dialect::public_).sql);
  }
  answer.elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began);
  return answer;
}

Result<std::string> ask_for_file(store::Store& store, const Question& question, AnswerForm form,
                                 const AskLimits& limits) {
  return run(store, write_file_statement(question, spans_of(store, question, limits)), limits,
             form == AnswerForm::parquet ? "Parquet" : "ArrowStream");
}

Result<std::string> answer_question(store::Store& store, std::string_view text, const Context& context, AnswerForm form,
                                    const AskLimits& limits) {
  Context whole = context;
  if (!whole.first_event) whole.first_event = [&] { return first_event_of(store, context.project, limits); };
  auto question = parse_question(text, whole);
  if (!question) return std::move(question).error();
  if (form != AnswerForm::json) question->may_sample = false;  // a file is no first answer
  if (form == AnswerForm::parquet || form == AnswerForm::arrow) return ask_for_file(store, *question, form, limits);
  auto answer = ask(store, *question, limits);
  if (!answer) return std::move(answer).error();
  if (form == AnswerForm::csv) return to_csv(*question, *answer);
  if (form == AnswerForm::json_lines) return to_json_lines(*question, *answer);
  return to_json(*question, *answer);
}

}  // namespace weir::query
