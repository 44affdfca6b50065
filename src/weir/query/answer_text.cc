#include <fmt/format.h>

#include <cmath>
#include <cstdlib>

#include "weir/base/clock.h"
#include "weir/base/json_writer.h"
#include "weir/query/answer.h"
#include "weir/query/csv_guard.h"

// An answer as text.
namespace weir::query {

namespace {
std::string number_text(double number) {
  return std::isfinite(number) ? fmt::format("{}", number) : std::string("null");
}

// "1234567.5" with thousands, as far as people need it to the cent.
std::string long_money(const Money& money) {
  const double amount = std::strtod(money.amount.c_str(), nullptr);
  std::string digits = fmt::format("{:.2f}", std::abs(amount));
  for (auto at = static_cast<ptrdiff_t>(digits.size()) - 6; at > 0; at -= 3)
    digits.insert(static_cast<size_t>(at), ",");
  return fmt::format("{}{} {}", amount < 0 ? "-" : "", digits, money.currency);
}

std::string short_money(const Money& money) {
  const double amount = std::strtod(money.amount.c_str(), nullptr);
  const double size = std::abs(amount);
  if (size >= 1e9) return fmt::format("{:.1f}B {}", amount / 1e9, money.currency);
  if (size >= 1e6) return fmt::format("{:.1f}M {}", amount / 1e6, money.currency);
  if (size >= 1e3) return fmt::format("{:.1f}K {}", amount / 1e3, money.currency);
  return fmt::format("{:.1f} {}", amount, money.currency);
}

void append(std::string& out, const Cell& cell) {
  if (const auto* number = std::get_if<int64_t>(&cell)) {
    out += std::to_string(*number);
  } else if (const auto* real = std::get_if<double>(&cell)) {
    out += number_text(*real);
  } else if (const auto* text = std::get_if<std::string>(&cell)) {
    append_json_string(out, *text);
  } else if (const auto* money = std::get_if<Money>(&cell)) {
    out += "{\"value\":" + number_text(std::strtod(money->amount.c_str(), nullptr)) + ",\"currency\":";
    append_json_string(out, money->currency);
    out += ",\"short\":";
    append_json_string(out, short_money(*money));
    out += ",\"long\":";
    append_json_string(out, long_money(*money));
    out += "}";
  } else {
    out += "null";
  }
}

void append(std::string& out, const std::vector<Cell>& cells) {
  out += "[";
  for (size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) out += ",";
    append(out, cells[i]);
  }
  out += "]";
}

template <class List, class Write>
void append_list(std::string& out, const List& list, const Write& write) {
  out += "[";
  bool first = true;
  for (const auto& item : list) {
    if (!first) out += ",";
    first = false;
    write(item);
  }
  out += "]";
}

void append_texts(std::string& out, const std::vector<std::string>& texts) {
  append_list(out, texts, [&](const std::string& text) { append_json_string(out, text); });
}

// A range as its first and its last second.
void append_range(std::string& out, const Zone& zone, const Range& range) {
  append_texts(out, {rfc3339_text(zone, range.from), rfc3339_text(zone, range.to - 1)});
}

void append_meta(std::string& out, const Question& question, const Answer& answer) {
  out += "{";
  if (question.with_time_labels) {
    append_json_key(out, "time_labels");
    append_list(out, answer.slots, [&](const Slot& slot) { append_json_string(out, slot.label); });
    append_json_key(out, "partial_time_labels");
    std::vector<std::string> partial;
    for (const Slot& slot : answer.slots)
      if (slot.end > question.now / 1000) partial.push_back(slot.label);
    append_texts(out, partial);
  }
  if (question.with_total_rows) {
    append_json_key(out, "total_rows");
    out += std::to_string(answer.total_rows);
  }
  if (question.comparing != Comparing::none) {
    append_json_key(out, "comparison_range");
    append_range(out, question.zone, question.compared);
  }
  append_json_key(out, "complete_to");
  if (question.complete_to) {
    append_json_string(out, format_rfc3339(*question.complete_to));
  } else {
    out += "null";
  }
  if (question.with_coverage) {
    append_json_key(out, "coverage");
    out += "{";
    for (const auto& [label, events] : answer.coverage) {
      append_json_key(out, label);
      out += std::to_string(events);
    }
    out += "}";
  }
  append_json_key(out, "exact");
  out += question.exact && answer.one_in == 1 ? "true" : "false";
  append_json_key(out, "error_bound");
  out += question.exact ? "null" : number_text(kErrorBound);
  append_json_key(out, "sampled");
  out += answer.one_in == 1 ? "null" : number_text(1.0 / answer.one_in);
  if (question.with_sql) {
    append_json_key(out, "sql");
    append_texts(out, answer.sql);
  }
  append_json_key(out, "elapsed_ms");
  out += std::to_string(answer.elapsed.count());
  append_json_key(out, "rows_read");
  out += std::to_string(answer.rows_read);
  append_json_key(out, "set_aside");
  out += answer.set_aside ? "true" : "false";
  append_json_key(out, "rolled_up");
  out += answer.rolled_up ? "true" : "false";
  append_json_key(out, "warnings");
  append_texts(out, answer.warnings);
  out += "}";
}

void append_question(std::string& out, const Question& q) {
  out += "{";
  append_json_key(out, "site_id");
  append_json_string(out, q.project_name);
  append_json_key(out, "metrics");
  append_list(out, q.metrics, [&](Metric metric) { append_json_string(out, name_of(metric)); });
  append_json_key(out, "date_range");
  append_range(out, q.zone, q.range);
  append_json_key(out, "filters");
  out += q.filters;
  append_json_key(out, "dimensions");
  append_list(out, q.dimensions, [&](const Dimension& dimension) { append_json_string(out, name_of(dimension)); });
  append_json_key(out, "order_by");
  append_list(out, q.order, [&](const Order& order) {
    append_texts(out,
                 {order.by_metric ? std::string(name_of(q.metrics[order.index])) : name_of(q.dimensions[order.index]),
                  order.descending ? "desc" : "asc"});
  });
  append_json_key(out, "include");
  out += "{";
  for (auto [name, on] : {std::pair("time_labels", q.with_time_labels), std::pair("total_rows", q.with_total_rows),
                          std::pair("coverage", q.with_coverage), std::pair("sql", q.with_sql)}) {
    if (!on) continue;
    append_json_key(out, name);
    out += "true";
  }
  out += "}";
  append_json_key(out, "pagination");
  out += fmt::format("{{\"limit\":{},\"offset\":{}}}", q.limit, q.offset);
  append_json_key(out, "timezone");
  append_json_string(out, q.zone.name());
  append_json_key(out, "traffic");
  append_texts(out, q.traffic);
  append_json_key(out, "accuracy");
  append_json_string(out, q.exact ? "exact" : "fast");
  out += "}";
}

std::string csv_text(std::string_view text) {
  const bool formula = could_be_formula(text);
  std::string out = formula ? "'" : "";
  out += text;
  if (out.find_first_of(",\"\r\n") == std::string::npos && !formula) return out;
  std::string quoted = "\"";
  for (char c : out) {
    if (c == '"') quoted.push_back('"');
    quoted.push_back(c);
  }
  return quoted + "\"";
}

std::string csv_cell(const Cell& cell) {
  if (const auto* number = std::get_if<int64_t>(&cell)) return std::to_string(*number);
  if (const auto* real = std::get_if<double>(&cell)) return number_text(*real);
  if (const auto* text = std::get_if<std::string>(&cell)) return csv_text(*text);
  if (const auto* money = std::get_if<Money>(&cell)) return money->amount;
  return {};
}

// Names of the columns, and what stands in them, in the order of the answer's rows.
struct Column {
  std::string name;
  const Cell* (*take)(const AnswerRow&, size_t);
  size_t index;
};

const Cell* none() {
  static const Cell cell;
  return &cell;
}

std::vector<Column> columns_of(const Question& q) {
  std::vector<Column> columns;
  for (size_t i = 0; i < q.dimensions.size(); ++i)
    columns.push_back({name_of(q.dimensions[i]), [](const AnswerRow& r, size_t at) { return &r.dimensions[at]; }, i});
  for (size_t i = 0; i < q.metrics.size(); ++i) {
    const std::string name(name_of(q.metrics[i]));
    columns.push_back({name, [](const AnswerRow& r, size_t at) { return &r.metrics[at]; }, i});
    if (q.comparing == Comparing::none) continue;
    columns.push_back({"comparison_" + name,
                       [](const AnswerRow& r, size_t at) { return r.compared ? &r.compared->metrics[at] : none(); },
                       i});
    columns.push_back({"change_" + name,
                       [](const AnswerRow& r, size_t at) { return r.compared ? &r.compared->change[at] : none(); }, i});
  }
  return columns;
}
}  // namespace

bool parse_answer_form(std::string_view name, AnswerForm& form) {
  if (name == "json")
    form = AnswerForm::json;
  else if (name == "csv")
    form = AnswerForm::csv;
  else if (name == "jsonl")
    form = AnswerForm::json_lines;
  else if (name == "parquet")
    form = AnswerForm::parquet;
  else if (name == "arrow")
    form = AnswerForm::arrow;
  else
    return false;
  return true;
}

std::string_view content_type_of(AnswerForm form) {
  switch (form) {
    case AnswerForm::json:
      return "application/json";
    case AnswerForm::csv:
      return "text/csv; charset=utf-8";
    case AnswerForm::json_lines:
      return "application/x-ndjson";
    case AnswerForm::parquet:
      return "application/vnd.apache.parquet";
    case AnswerForm::arrow:
      return "application/vnd.apache.arrow.stream";
  }
  return "application/octet-stream";
}

std::string to_json(const Question& question, const Answer& answer) {
  std::string out = "{\"results\":";
  append_list(out, answer.rows, [&](const AnswerRow& row) {
    out += "{\"dimensions\":";
    append(out, row.dimensions);
    out += ",\"metrics\":";
    append(out, row.metrics);
    if (answer.one_in > 1) {
      out += ",\"error_bounds\":";
      append_list(out, row.errors, [&](const std::optional<double>& error) {
        out += error ? number_text(std::ceil(*error * 100) / 100) : "null";
      });
    }
    if (row.compared) {
      out += ",\"comparison\":{\"dimensions\":";
      append(out, row.compared->dimensions);
      out += ",\"metrics\":";
      append(out, row.compared->metrics);
      out += ",\"change\":";
      append(out, row.compared->change);
      out += "}";
    }
    out += "}";
  });
  out += ",\"meta\":";
  append_meta(out, question, answer);
  out += ",\"query\":";
  append_question(out, question);
  return out + "}\n";
}

std::string to_csv(const Question& question, const Answer& answer) {
  const std::vector<Column> columns = columns_of(question);
  std::string out;
  for (size_t i = 0; i < columns.size(); ++i) out += (i > 0 ? "," : "") + csv_text(columns[i].name);
  out += "\r\n";
  for (const AnswerRow& row : answer.rows) {
    for (size_t i = 0; i < columns.size(); ++i)
      out += (i > 0 ? "," : "") + csv_cell(*columns[i].take(row, columns[i].index));
    out += "\r\n";
  }
  return out;
}

std::string to_json_lines(const Question& question, const Answer& answer) {
  const std::vector<Column> columns = columns_of(question);
  std::string out;
  for (const AnswerRow& row : answer.rows) {
    out += "{";
    for (const Column& column : columns) {
      if (out.back() != '{') out += ",";
      append_json_string(out, column.name);
      out += ":";
      append(out, *column.take(row, column.index));
    }
    out += "}\n";
  }
  return out;
}

}  // namespace weir::query
