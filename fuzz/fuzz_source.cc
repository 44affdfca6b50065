// libraries: weir_enrich simdjson::simdjson
//
// Referrer, page and tags as strangers may send them: finding the source does no harm, answers within its limits, in
// valid text, the same each time. The input's lines are referrer, host name, utm_source, utm_medium, utm_campaign,
// click id.

#include <simdjson.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "weir/base/check.h"
#include "weir/enrich/source.h"
#include "weir/enrich/testing/recorded.h"

using namespace weir::enrich;

namespace {
bool is_text(std::string_view text) { return simdjson::validate_utf8(text.data(), text.size()); }
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static SourceFinder finder([] {
    auto suffixes = PublicSuffixes::load(weir::enrich::testing::suffix_list());
    WEIR_CHECK(suffixes.has_value());
    auto sources = Sources::load({built_in_sources(), "", "spam.example\ncasino.test\n"}, std::move(*suffixes));
    WEIR_CHECK(sources.has_value());
    return std::make_shared<const Sources>(std::move(*sources));
  }());

  std::string_view rest(reinterpret_cast<const char*>(data), size);
  std::array<std::string_view, 6> lines;
  for (std::string_view& line : lines) {
    size_t end = rest.find('\n');
    line = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  }
  SourceQuestion question;
  question.referrer = lines[0];
  question.hostname = lines[1];
  // The enricher's decoding makes these valid text.
  question.utm_source = is_text(lines[2]) ? lines[2] : "";
  question.utm_medium = is_text(lines[3]) ? lines[3] : "";
  question.utm_campaign = lines[4];
  question.click_id = lines[5];

  SourceAnswer answer = finder.find(question);
  WEIR_CHECK(answer.source.size() <= 253 && is_text(answer.source));
  WEIR_CHECK(answer.medium.size() <= 100 && is_text(answer.medium));
  WEIR_CHECK(!answer.channel.empty() && !answer.reason.empty());
  WEIR_CHECK(answer.spam.empty() || answer.spam.starts_with("referrer spam: "));
  std::string first = std::string(answer.source) + "|" + std::string(answer.medium) + "|" + std::string(answer.channel);
  answer = finder.find(question);
  WEIR_CHECK(first ==
             std::string(answer.source) + "|" + std::string(answer.medium) + "|" + std::string(answer.channel));
  return 0;
}
