#include "weir/store/exception.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace weir::store {

namespace {
// ClickHouse's numbers, src/Common/ErrorCodes.cpp. Rows that cannot be stored whatever the state of the server.
constexpr int kDataErrors[] = {
    6,    // CANNOT_PARSE_TEXT
    25,   // CANNOT_PARSE_ESCAPE_SEQUENCE
    26,   // CANNOT_PARSE_QUOTED_STRING
    27,   // CANNOT_PARSE_INPUT_ASSERTION_FAILED
    33,   // CANNOT_READ_ALL_DATA
    38,   // CANNOT_PARSE_DATE
    41,   // CANNOT_PARSE_DATETIME
    53,   // TYPE_MISMATCH
    69,   // ARGUMENT_OUT_OF_BOUND
    70,   // CANNOT_CONVERT_TYPE
    72,   // CANNOT_PARSE_NUMBER
    117,  // INCORRECT_DATA
    128,  // TOO_LARGE_ARRAY_SIZE
    131,  // TOO_LARGE_STRING_SIZE
    190,  // SIZES_OF_ARRAYS_DONT_MATCH
    321,  // VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE
    349,  // CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN
    407,  // DECIMAL_OVERFLOW
    469,  // VIOLATED_CONSTRAINT
    691,  // UNKNOWN_ELEMENT_OF_ENUM
};
// The server is in no state to do it now.
constexpr int kStateErrors[] = {
    3,    // UNEXPECTED_END_OF_FILE
    23,   // CANNOT_READ_FROM_ISTREAM
    24,   // CANNOT_WRITE_TO_OSTREAM
    40,   // CHECKSUM_DOESNT_MATCH
    74,   // CANNOT_READ_FROM_FILE_DESCRIPTOR
    75,   // CANNOT_WRITE_TO_FILE_DESCRIPTOR
    76,   // CANNOT_OPEN_FILE
    173,  // CANNOT_ALLOCATE_MEMORY
    198,  // DNS_ERROR
    204,  // CANNOT_FSYNC
    209,  // SOCKET_TIMEOUT
    210,  // NETWORK_ERROR
    236,  // ABORTED
    242,  // TABLE_IS_READ_ONLY
    243,  // NOT_ENOUGH_SPACE
    252,  // TOO_MANY_PARTS
    271,  // CANNOT_DECOMPRESS
    279,  // ALL_CONNECTION_TRIES_FAILED
    394,  // QUERY_WAS_CANCELLED
    425,  // SYSTEM_ERROR
    439,  // CANNOT_SCHEDULE_TASK
    499,  // S3_ERROR
    516,  // AUTHENTICATION_FAILED
    999,  // KEEPER_EXCEPTION
};
template <size_t N>
bool among(const int (&list)[N], int code) {
  return std::find(std::begin(list), std::end(list), code) != std::end(list);
}

constexpr size_t kMessageBytesMax = 2000;
// The engine cuts its messages at 16 KiB; the marks around it are short.
constexpr size_t kHeldBytes = 32 * 1024;
constexpr std::string_view kMark = "\r\n__exception__\r\n";
}  // namespace

ErrorCode error_code_of(int code, Doing doing) {
  switch (code) {
    case 159:  // TIMEOUT_EXCEEDED
    case 160:  // TOO_SLOW
      return ErrorCode::kTimeout;
    case 202:  // TOO_MANY_SIMULTANEOUS_QUERIES
      return ErrorCode::kOverloaded;
    default:
      break;
  }
  if (doing == Doing::insert) return among(kDataErrors, code) ? ErrorCode::kBadInput : ErrorCode::kUnavailable;
  switch (code) {
    case 158:  // TOO_MANY_ROWS
    case 241:  // MEMORY_LIMIT_EXCEEDED
    case 307:  // TOO_MANY_BYTES
    case 396:  // TOO_MANY_ROWS_OR_BYTES
      return ErrorCode::kTooLarge;
    case 164:  // READONLY
    case 291:  // DATABASE_ACCESS_DENIED
    case 452:  // SETTING_CONSTRAINT_VIOLATION
    case 497:  // ACCESS_DENIED
      return ErrorCode::kForbidden;
    default:
      return code == 0 || among(kStateErrors, code) ? ErrorCode::kUnavailable : ErrorCode::kBadInput;
  }
}

std::string without_prefix(std::string message, size_t bytes) {
  for (std::string_view before : {"failed at position ", "(line 1, col "}) {
    const size_t found = message.find(before);
    if (found == std::string::npos) continue;
    const size_t from = found + before.size();
    size_t number = 0;
    const auto [end, error] = std::from_chars(message.data() + from, message.data() + message.size(), number);
    if (error != std::errc() || number <= bytes) continue;
    message.replace(from, static_cast<size_t>(end - message.data()) - from, std::to_string(number - bytes));
  }
  return message;
}

int code_in(std::string_view text) {
  constexpr std::string_view kPrefix = "Code: ";
  size_t at = text.find(kPrefix);
  if (at == std::string_view::npos) return 0;
  text.remove_prefix(at + kPrefix.size());
  int code = 0;
  std::from_chars(text.data(), text.data() + text.size(), code);
  return code;
}

std::string plain_message(std::string_view text) {
  constexpr std::string_view kFrame = "Exception: ";
  if (text.starts_with("Code: "))
    if (size_t at = text.find(kFrame); at != std::string_view::npos) text.remove_prefix(at + kFrame.size());
  if (size_t at = text.rfind(" (version "); at != std::string_view::npos) text = text.substr(0, at);
  // The name of the code, in parentheses, at the end.
  if (size_t at = text.rfind(" ("); at != std::string_view::npos && text.ends_with(")")) {
    std::string_view name = text.substr(at + 2, text.size() - at - 3);
    if (std::all_of(name.begin(), name.end(),
                    [](char c) { return (c >= 'A' && c <= 'Z') || c == '_' || (c >= '0' && c <= '9'); }))
      text = text.substr(0, at);
  }
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ' || text.back() == '\r')) text.remove_suffix(1);
  return std::string(text.substr(0, kMessageBytesMax));
}

bool GuardedStream::add(std::string_view piece) {
  if (cancelled_) return false;
  held_ += piece;
  if (held_.size() < 2 * kHeldBytes) return true;
  size_t pass = held_.size() - kHeldBytes;
  cancelled_ = !sink_(std::string_view(held_).substr(0, pass));
  held_.erase(0, pass);
  return !cancelled_;
}

std::string GuardedStream::finish(std::string_view tag) {
  std::string exception = tag.empty() ? std::string() : exception_after(fmt::format("{}{}\r\n", kMark, tag));
  if (exception.empty() && !cancelled_ && !held_.empty()) cancelled_ = !sink_(held_);
  held_.clear();
  return exception;
}

std::string GuardedStream::last_words() const {
  std::string text = exception_after(std::string(kMark));
  size_t tag_end = text.find("\r\n");
  return tag_end == std::string::npos ? text : text.substr(tag_end + 2);
}

// The end of such an answer: mark, tag, line end, text, line end, text's length, space, tag, mark. The second mark is
// not always there.
std::string GuardedStream::exception_after(const std::string& opening) const {
  size_t at = held_.find(opening);
  if (at == std::string::npos) return {};
  std::string text = held_.substr(at + opening.size());
  if (size_t end = text.rfind(kMark); end != std::string::npos) {
    text.resize(end);
    if (size_t length = text.rfind('\n'); length != std::string::npos) text.resize(length);
  }
  return text.empty() ? "the answer was broken off" : text;
}

}  // namespace weir::store
