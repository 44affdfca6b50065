// libraries: weir_query
//
// Questions as strangers may send them: reading one does no harm and keeps to the limits, and whatever is read can be
// written as a statement in which no text of the question stands but as a parameter.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "weir/base/check.h"
#include "weir/query/question.h"
#include "weir/query/statement.h"

using namespace weir;
using namespace weir::query;

namespace {
Context context() {
  Context context;
  context.project = ProjectId{7};
  context.project_name = "website";
  context.time_zone = "Europe/Berlin";
  context.goals = {{"Signed up", "signup", "", {}, ""}, {"Thanks", "", "/thanks*", {{"plan", "pro"}}, "EUR"}};
  context.segments = {{
      "s1",
      R"({"filters":[["is","visit:source",["news"]]]})",
  }};
  context.now = 1'795'946'400'000;
  context.first_event = [] { return std::optional<UnixMillis>(1'764'000'000'000); };
  return context;
}

// Quotes in a statement for the store are weir's own: they hold names, labels, formats and times, never more.
void expect_own_texts(const Statement& statement) {
  constexpr std::string_view kOwn = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-:% ";
  bool inside = false;
  for (char c : statement.sql) {
    if (c == '\'') {
      inside = !inside;
      continue;
    }
    WEIR_CHECK(c != '\\' && c != '`' && c != ';' && static_cast<unsigned char>(c) < 0x80);
    if (inside) WEIR_CHECK(kOwn.find(c) != std::string_view::npos);
  }
  WEIR_CHECK(!inside);
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Context about = context();
  auto question = parse_question(std::string_view(reinterpret_cast<const char*>(data), size), about);
  if (!question) {
    WEIR_CHECK(question.error().message.size() < 4096);
    return 0;
  }
  WEIR_CHECK(question->metrics.size() <= kMetricsMax && question->dimensions.size() <= kDimensionsMax);
  WEIR_CHECK(question->range.from < question->range.to && question->limit <= kLimitMax);
  expect_own_texts(write_statement(*question, question->range, Dialect::bound));
  expect_own_texts(write_count(*question));
  (void)write_statement(*question, question->range, Dialect::public_);
  (void)write_file_statement(*question);
  return 0;
}
