#include "weir/transfer/import_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "weir/base/json_writer.h"

namespace weir::transfer {

namespace {
uint64_t per_second(uint64_t count, std::chrono::milliseconds took) {
  return count * 1000 / std::max<uint64_t>(1, static_cast<uint64_t>(took.count()));
}

std::string second_text(UnixMillis t) {
  std::string text = format_rfc3339(t).substr(0, 19);
  text[10] = ' ';
  return text;
}

bool is_unreadable(const ImportSummary& s) {
  return s.skipped[static_cast<size_t>(Skip::unreadable)] > 0 && s.readable_lines() == 0;
}

void append_row(std::string& out, std::string_view indent, std::string_view name, uint64_t count) {
  fmt::format_to(std::back_inserter(out), "{}{:<{}}{:>14}\n", indent, name, 42 - indent.size(), grouped(count));
}
}  // namespace

std::string format_of(const ImportSummary& summary) {
  std::string text;
  for (size_t i = 0; i < kLineForms; ++i)
    if (summary.forms[i] > 0) text.append(text.empty() ? "" : " and ").append(name_of(static_cast<LineForm>(i)));
  return text.empty() ? "none" : text;
}

std::string grouped(uint64_t number) {
  std::string digits = std::to_string(number);
  for (auto at = static_cast<long>(digits.size()) - 3; at > 0; at -= 3) digits.insert(static_cast<size_t>(at), ",");
  return digits;
}

std::string bytes_text(uint64_t bytes) {
  constexpr std::array<std::string_view, 5> kUnits = {"B", "kB", "MB", "GB", "TB"};
  auto value = static_cast<double>(bytes);
  size_t unit = 0;
  for (; value >= 1000 && unit + 1 < kUnits.size(); ++unit) value /= 1000;
  return fmt::format("{:.{}f} {}", value, unit == 0 ? 0 : 1, kUnits[unit]);
}

std::string progress_text(std::string_view file, uint64_t lines, uint64_t read, uint64_t size,
                          std::chrono::milliseconds took) {
  std::string out = fmt::format("{}  {} lines  {}/s", file == "-" ? "standard input" : file, grouped(lines),
                                grouped(per_second(lines, took)));
  if (size > 0)
    fmt::format_to(std::back_inserter(out), "  {}% of {}", std::min<uint64_t>(100, read * 100 / size),
                   bytes_text(size));
  else
    fmt::format_to(std::back_inserter(out), "  {}", bytes_text(read));
  return out;
}

ImportSummary ImportReport::total() const {
  ImportSummary total;
  for (const FileReport& file : files) total.add(file.summary, 0);
  return total;
}

bool ImportReport::is_success() const {
  return error.empty() && std::none_of(files.begin(), files.end(), [](const FileReport& file) {
           return !file.error.empty() || is_unreadable(file.summary);
         });
}

std::string ImportReport::to_text() const {
  ImportSummary sum = total();
  std::string out;
  append_row(out, "", "lines read", sum.lines);
  append_row(out, "  ", dry_run ? "would be imported" : "imported", sum.imported);
  append_row(out, "    ", "of these pageviews", sum.pageviews);
  if (!dry_run) append_row(out, "  ", "already imported", sum.already);
  append_row(out, "  ", "skipped", sum.skipped_lines());
  for (size_t i = 0; i < kSkips; ++i)
    if (sum.skipped[i] > 0) append_row(out, "    ", describe(static_cast<Skip>(i)), sum.skipped[i]);
  fmt::format_to(std::back_inserter(out), "format {}", format_of(sum));
  if (sum.first_time != 0)
    fmt::format_to(std::back_inserter(out), ", from {} to {} UTC", second_text(sum.first_time),
                   second_text(sum.last_time));
  fmt::format_to(std::back_inserter(out), ", {:.1f} s, {} lines/s\n", static_cast<double>(took.count()) / 1000,
                 grouped(per_second(sum.lines, took)));
  if (dry_run) out += "Nothing was imported, and what was imported before was not looked at.\n";
  size_t examples = 0;
  for (const FileReport& file : files) {
    for (const ImportSummary::Example& e : file.summary.examples) {
      if (examples++ >= ImportSummary::kExamplesMax) break;
      fmt::format_to(std::back_inserter(out), "unreadable: {}:{}: {}\n", file.file, e.line + 1, e.reason);
    }
  }
  return out;
}

std::string ImportReport::to_json() const {
  std::string out = R"({"project":)";
  append_json_string(out, project);
  fmt::format_to(std::back_inserter(out), R"(,"dry_run":{},"seconds":{:.3f},"success":{},"error":)", dry_run,
                 static_cast<double>(took.count()) / 1000, is_success());
  append_json_string(out, error);
  out += R"(,"total":)" + total().to_json() + R"(,"files":[)";
  for (const FileReport& file : files) {
    if (&file != files.data()) out.push_back(',');
    out += R"({"file":)";
    append_json_string(out, file.file);
    out += R"(,"packing":)";
    append_json_string(out, file.packing);
    fmt::format_to(std::back_inserter(out), R"(,"format":"{}","error":)", format_of(file.summary));
    append_json_string(out, file.error);
    out += R"(,"summary":)" + file.summary.to_json() + "}";
  }
  out += "]}\n";
  return out;
}

}  // namespace weir::transfer
