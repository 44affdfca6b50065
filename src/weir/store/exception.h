#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "weir/base/result.h"

namespace weir::store {

// What the caller of ClickHouse was doing: it decides what an exception means to him.
enum class Doing { insert, statement };

// ClickHouse's exception `code` as one of our errors. For an insert, kBadInput means that the rows themselves are at
// fault; whatever else is wrong is the store's own state and may pass.
ErrorCode error_code_of(int code, Doing doing);

// The exception's text without its frame: "Code: 62. DB::Exception: Syntax error ... (SYNTAX_ERROR) (version 26...)"
// becomes "Syntax error ...". At most 2000 bytes.
std::string plain_message(std::string_view text);
// The places that a syntax error names ("failed at position 19", "(line 1, col 19)") without the `bytes` that we set
// before a statement, which its writer did not see.
std::string without_prefix(std::string message, size_t bytes);
// The number behind "Code: ", or 0.
int code_in(std::string_view text);

// Passes a streamed answer on, but holds back its end: an exception in the middle of an answer with status 200 is
// written there, between marks that name the answer's tag.
class GuardedStream {
 public:
  explicit GuardedStream(const std::function<bool(std::string_view)>& sink) : sink_(sink) {}
  // False once the sink wants no more.
  bool add(std::string_view piece);
  // Passes the rest on, unless it ends in an exception marked with `tag`, whose text is then returned.
  std::string finish(std::string_view tag);
  // The exception at the end of an answer that was broken off, whatever its tag; empty when there is none.
  std::string last_words() const;
  bool cancelled() const { return cancelled_; }

 private:
  std::string exception_after(const std::string& opening) const;

  const std::function<bool(std::string_view)>& sink_;
  std::string held_;
  bool cancelled_ = false;
};

}  // namespace weir::store
