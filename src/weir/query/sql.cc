#include "weir/query/sql.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "weir/query/csv_guard.h"
#include "weir/query/sql_guard.h"

namespace weir::query {

namespace {
bool is_word(std::string_view text) {
  return !text.empty() && text.size() <= 64 &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isalnum(c) || c == '_'; });
}

// CSV, CSVWithNames...; ClickHouse reads names of formats in any case.
bool is_csv(std::string_view format) {
  constexpr std::string_view kCsv = "csv";
  return format.size() >= kCsv.size() && std::equal(kCsv.begin(), kCsv.end(), format.begin(), [](char a, char b) {
           return a == std::tolower(static_cast<unsigned char>(b));
         });
}
}  // namespace

Result<std::string> run_sql(store::Store& store, std::string_view sql, const SqlRequest& request,
                            const std::function<bool(std::string_view)>& sink) {
  if (sql.size() > kSqlBytesMax)
    return Error{ErrorCode::kTooLarge,
                 fmt::format("query: a statement of {} bytes, at most {}", sql.size(), kSqlBytesMax)};
  if (sql.find('\0') != std::string_view::npos) return Error{ErrorCode::kBadInput, "query: a NUL in the statement"};
  if (!is_word(request.format)) return Error{ErrorCode::kBadInput, "query: not a format: " + request.format};
  for (const auto& [name, value] : request.parameters)
    if (!is_word(name)) return Error{ErrorCode::kBadInput, "query: not a parameter's name: " + name};
  // Before anything of it reaches ClickHouse.
  if (std::string why = store.user_sql_refused(); !why.empty())
    return Error{ErrorCode::kForbidden, "query: SQL is refused here: " + why};
  auto ast = store.explain_ast(sql, request.parameters);
  if (!ast) return std::move(ast).error();
  if (auto judged = judge_ast(*ast); !judged) return std::move(judged).error();
  store::QueryOptions options{.format = request.format,
                              .parameters = request.parameters,
                              .timeout = request.timeout,
                              .abandoned = request.abandoned};
  const std::string_view named = format_in_ast(*ast);
  if (!is_csv(named.empty() ? request.format : named)) return store.user_query(sql, options, request.projects, sink);
  CsvGuard guard;
  return store.user_query(sql, options, request.projects,
                          [&](std::string_view piece) { return sink(guard.take(piece)); });
}

}  // namespace weir::query
