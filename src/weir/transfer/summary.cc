#include "weir/transfer/summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <numeric>

#include "weir/base/json_writer.h"

namespace weir::transfer {

std::string_view name_of(Skip skip) {
  switch (skip) {
    case Skip::blank:
      return "blank";
    case Skip::comment:
      return "comment";
    case Skip::too_long:
      return "too_long";
    case Skip::unreadable:
      return "unreadable";
    case Skip::too_early:
      return "too_early";
    case Skip::too_late:
      return "too_late";
    case Skip::retention:
      return "retention";
    case Skip::asset:
      return "asset";
    case Skip::redirect:
      return "redirect";
    case Skip::error:
      return "error";
    case Skip::not_page:
      return "not_page";
  }
  return "?";
}

std::string_view describe(Skip skip) {
  switch (skip) {
    case Skip::blank:
      return "blank";
    case Skip::comment:
      return "comments";
    case Skip::too_long:
      return "longer than 64 KiB";
    case Skip::unreadable:
      return "unreadable";
    case Skip::too_early:
      return "before 1990";
    case Skip::too_late:
      return "more than 24 h ahead";
    case Skip::retention:
      return "older than the project keeps events";
    case Skip::asset:
      return "assets, left out";
    case Skip::redirect:
      return "redirects, left out";
    case Skip::error:
      return "errors, left out";
    case Skip::not_page:
      return "other requests, left out";
  }
  return "?";
}

uint64_t ImportSummary::skipped_lines() const { return std::accumulate(skipped.begin(), skipped.end(), uint64_t{0}); }

uint64_t ImportSummary::readable_lines() const { return std::accumulate(forms.begin(), forms.end(), uint64_t{0}); }

void ImportSummary::saw(UnixMillis time) {
  if (first_time == 0 || time < first_time) first_time = time;
  if (last_time == 0 || time > last_time) last_time = time;
}

void ImportSummary::add_example(uint64_t line, std::string_view reason) {
  if (examples.size() < kExamplesMax) examples.push_back({line, std::string(reason)});
}

void ImportSummary::add(const ImportSummary& part, uint64_t line) {
  lines += part.lines;
  imported += part.imported;
  already += part.already;
  for (size_t i = 0; i < kSkips; ++i) skipped[i] += part.skipped[i];
  pageviews += part.pageviews;
  for (size_t i = 0; i < kLineForms; ++i) forms[i] += part.forms[i];
  if (part.first_time != 0) saw(part.first_time);
  if (part.last_time != 0) saw(part.last_time);
  for (const Example& e : part.examples) add_example(line + e.line, e.reason);
}

std::string ImportSummary::to_json() const {
  std::string out =
      fmt::format(R"({{"lines":{},"imported":{},"already_imported":{},"skipped":{{)", lines, imported, already);
  for (size_t i = 0; i < kSkips; ++i) {
    append_json_key(out, name_of(static_cast<Skip>(i)));
    out += std::to_string(skipped[i]);
  }
  fmt::format_to(std::back_inserter(out), R"(}},"pageviews":{})", pageviews);
  for (size_t i = 0; i < kLineForms; ++i) {
    append_json_key(out, name_of(static_cast<LineForm>(i)));
    out += std::to_string(forms[i]);
  }
  fmt::format_to(std::back_inserter(out), R"(,"first_time":{},"last_time":{})", first_time, last_time);
  out += R"(,"examples":[)";
  for (const Example& e : examples) {
    fmt::format_to(std::back_inserter(out), R"({}{{"line":{},"reason":)", &e == examples.data() ? "" : ",", e.line + 1);
    append_json_string(out, e.reason);
    out.push_back('}');
  }
  out += "]}";
  return out;
}

Result<ImportSummary> ImportSummary::parse(std::string_view json) {
  try {
    boost::json::value value = boost::json::parse(boost::json::string_view(json.data(), json.size()));
    const boost::json::object& o = value.as_object();
    auto count = [](const boost::json::object& object, std::string_view name) {
      return object.at(boost::json::string_view(name.data(), name.size())).to_number<uint64_t>();
    };
    ImportSummary s;
    s.lines = count(o, "lines");
    s.imported = count(o, "imported");
    s.already = count(o, "already_imported");
    const boost::json::object& skipped = o.at("skipped").as_object();
    for (size_t i = 0; i < kSkips; ++i) s.skipped[i] = count(skipped, name_of(static_cast<Skip>(i)));
    s.pageviews = count(o, "pageviews");
    for (size_t i = 0; i < kLineForms; ++i) s.forms[i] = count(o, name_of(static_cast<LineForm>(i)));
    s.first_time = o.at("first_time").to_number<int64_t>();
    s.last_time = o.at("last_time").to_number<int64_t>();
    for (const boost::json::value& e : o.at("examples").as_array()) {
      const boost::json::string& reason = e.as_object().at("reason").as_string();
      s.add_example(count(e.as_object(), "line") - 1, {reason.data(), reason.size()});
    }
    return s;
  } catch (const std::exception& e) {
    return Error{ErrorCode::kCorrupt, fmt::format("transfer: not an import's summary: {}", e.what())};
  }
}

}  // namespace weir::transfer
