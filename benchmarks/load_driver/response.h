#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace weir::bench {

// The little of an HTTP answer that a load driver needs.
struct ParsedResponse {
  enum class State : uint8_t { incomplete, complete, broken };
  State state = State::incomplete;
  int status = 0;
  bool close = false;  // the server will close the connection
  size_t bytes = 0;    // head and body together
  std::string_view body;
};

// Parses the answer at the beginning of `input`. Understands Content-Length only: anything chunked is `broken`.
ParsedResponse parse_response(std::string_view input);

// The indices of refused and dropped events in the answer to a batch, as the capture API gives them.
struct BatchAnswer {
  uint64_t accepted = 0;
  std::vector<uint32_t> rejected;
  std::vector<uint32_t> dropped;
};
// False when `body` is not such an answer.
bool parse_batch_answer(std::string_view body, BatchAnswer& answer);

}  // namespace weir::bench
