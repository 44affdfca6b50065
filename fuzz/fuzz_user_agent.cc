// libraries: weir_enrich weir_event simdjson::simdjson
#include <simdjson.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "weir/base/check.h"
#include "weir/enrich/rule_file.h"
#include "weir/enrich/testing/user_agent_data.h"
#include "weir/enrich/user_agent.h"
#include "weir/event/json.h"

namespace {
using namespace weir;
using namespace weir::enrich;

std::shared_ptr<const UserAgentRules> rules() {
  auto loaded = UserAgentRules::load(testing::regexes_yaml(), testing::overlay_yaml());
  WEIR_CHECK(loaded.has_value());
  return std::move(*loaded);
}

std::string all_of(const Agent& agent) {
  std::string out;
  for (std::string_view text : {agent.browser, agent.browser_version, agent.os, agent.os_version, agent.device}) {
    WEIR_CHECK(text.size() <= 64);
    WEIR_CHECK(simdjson::validate_utf8(text.data(), text.size()));
    out.append(text).push_back('|');
  }
  for (const AgentReason& reason : {agent.browser_reason, agent.os_reason, agent.device_reason})
    out.append(reason.text()).push_back('|');
  return out;
}
}  // namespace

// A line each for the user agent, the hints and the screen, as strangers may send them: what is found is short, valid,
// and the same when it is remembered. The whole is read as a rule file too.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const std::shared_ptr<const UserAgentRules> kRules = rules();
  static UserAgents remembering(kRules, {64, 64 * 1024});
  static UserAgents forgetful(kRules, {1, 1});

  std::string input(reinterpret_cast<const char*>(data), size);
  if (auto lists = read_rule_file("fuzz", input); !lists) WEIR_CHECK(!lists.error().message.empty());

  std::vector<uint32_t> replaced;
  event::json::replace_invalid_utf8(input, replaced);  // as whoever takes the headers does
  std::string_view lines[3];
  std::string_view rest = input;
  for (std::string_view& line : lines) {
    size_t end = std::min(rest.find('\n'), rest.size());
    line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  std::string first = all_of(remembering.find(lines[0], lines[1], lines[2]));
  WEIR_CHECK(first == all_of(remembering.find(lines[0], lines[1], lines[2])));
  forgetful.find(lines[2]);
  WEIR_CHECK(first == all_of(forgetful.find(lines[0], lines[1], lines[2])));
  WEIR_CHECK(remembering.entries() <= 64);
  WEIR_CHECK(remembering.bytes() <= 64 * 1024);
  return 0;
}
