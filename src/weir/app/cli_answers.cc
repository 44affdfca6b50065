#include "weir/app/cli_answers.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json.hpp>
#include <cctype>
#include <cstdio>

#include "weir/app/invocation.h"
#include "weir/base/clock.h"
#include "weir/base/json_writer.h"
#include "weir/config/config.h"

namespace weir::app {

namespace {
namespace json = boost::json;

std::string shown(const json::object& row, std::string_view column) {
  const json::value* value = row.if_contains(column);
  if (value == nullptr || value->is_null()) return "-";
  if (value->is_string()) return std::string(std::string_view(value->get_string()));
  if (!value->is_array()) return json::serialize(*value);
  std::string listed;
  for (const json::value& one : value->get_array()) {
    if (!listed.empty()) listed += ',';
    listed += one.is_string() ? std::string(std::string_view(one.get_string())) : json::serialize(one);
  }
  return listed.empty() ? "-" : listed;
}

// One line an object, in columns.
std::string table(const json::array& rows, const std::vector<std::string_view>& columns) {
  std::vector<std::vector<std::string>> lines(1);
  for (std::string_view column : columns) {
    std::string title(column);
    for (char& c : title) c = c == '_' ? ' ' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    lines[0].push_back(title);
  }
  for (const json::value& row : rows) {
    lines.emplace_back();
    for (std::string_view column : columns) lines.back().push_back(shown(row.as_object(), column));
  }
  std::vector<size_t> widths(columns.size());
  for (const auto& line : lines) {
    for (size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], line[i].size());
  }
  std::string out;
  for (const auto& line : lines) {
    for (size_t i = 0; i + 1 < line.size(); ++i) out += fmt::format("{:<{}}  ", line[i], widths[i]);
    out += line.back() + "\n";
  }
  return out;
}
}  // namespace

int fail(std::string_view message) {
  std::fprintf(stderr, "weir: %.*s\n", static_cast<int>(message.size()), message.data());
  return kFailure;
}

bool print(std::string_view text) { return std::fwrite(text.data(), 1, text.size(), stdout) == text.size(); }

int end_of_output() {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return 0;
  return fail("writing to the output failed");
}

Fields& Fields::text(std::string_view name, const std::string& value) {
  if (!value.empty()) {
    append_json_key(out_, name);
    append_json_string(out_, value);
  }
  return *this;
}
Fields& Fields::number(std::string_view name, std::optional<uint64_t> value) {
  return value ? raw(name, std::to_string(*value)) : *this;
}
Fields& Fields::raw(std::string_view name, std::string_view json) {
  append_json_key(out_, name);
  out_ += json;
  return *this;
}

std::string member_of(const std::string& text, std::string_view member) {
  return shown(json::parse(text).as_object(), member);
}

std::string row(const std::string& text, const std::vector<std::string_view>& columns) {
  return table({json::parse(text)}, columns);
}

int list(const Invocation& invocation, std::string_view target, std::string_view member, Output output,
         const std::vector<std::string_view>& columns) {
  auto answer = request(invocation, {.target = std::string(target)});
  if (!answer) return fail(answer.error().message);
  if (output == Output::json) {
    print(answer->body + "\n");
    return end_of_output();
  }
  try {
    print(table(json::parse(answer->body).as_object().at(member).as_array(), columns));
  } catch (const std::exception& e) {
    return fail(fmt::format("the server's answer is not understood: {}", e.what()));
  }
  return end_of_output();
}

int change(const Invocation& invocation, const ServerRequest& question,
           const std::function<std::string(const std::string& body)>& report) {
  auto answer = request(invocation, question);
  if (!answer) return fail(answer.error().message);
  try {
    print(report(answer->body));
  } catch (const std::exception& e) {
    return fail(fmt::format("the server's answer is not understood: {}", e.what()));
  }
  return end_of_output();
}

void add_format(CLI::App* command, std::string& format, const std::vector<std::string>& known) {
  command->add_option("--format", format, "Output format")->check(CLI::IsMember(known))->capture_default_str();
}

Result<std::string> moment_after(const std::string& duration) {
  auto length = config::parse_duration(duration);
  if (!length || length->count() == 0)
    return Error{ErrorCode::kBadInput, "--expires: expected a duration such as 12h or 90d"};
  return format_rfc3339(SystemClock().now() + length->count());
}

}  // namespace weir::app
