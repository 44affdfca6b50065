#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "weir/base/clock.h"
#include "weir/base/result.h"
#include "weir/event/event.h"
#include "weir/event/json.h"

namespace weir::collect {

// One event as a client sent it, valid by itself, before it is stamped. A view, like Event: its texts last until the
// sink returns.
struct SentEvent {
  event::Event event;    // without project_id, received_at, time, time_rule, visitor, protocol, personal
  size_t index = 0;      // from 0; in lines, of lines that are not blank
  size_t at = 0;         // where in the body it begins
  bool alone = false;    // the body is this one object
  std::string_view app;  // the project as the event itself names it, or empty
  std::optional<UnixMillis> client_time;
  std::optional<UnixMillis> sent_at;
  std::string_view ip;          // of the visitor, if the event says so
  std::string_view user_agent;  // likewise
};

// "event 3, byte 412: ", or for an event alone "byte 12: ": how error messages begin.
std::string place_of(const SentEvent& sent);

// Takes what a decoder finds.
class EventSink {
 public:
  virtual ~EventSink() = default;
  // False: stop decoding, the sink knows why.
  virtual bool take(const SentEvent& sent) = 0;
  virtual bool reject(size_t index, Error error) = 0;
};

struct NativeRules {
  uint64_t event_bytes_max = 64 * 1024;
  uint64_t events_max = 50'000;
  bool lines = false;             // the content type says lines; one object then is a line too
  bool app_in_event = true;       // the project is not named elsewhere: the field `app` counts
  bool may_name_visitor = false;  // a key of scope capture came along: the fields `ip` and `user_agent` count
};

// How the body is built, which decides how it is answered.
enum class Shape : uint8_t { one, many };

// Reads bodies of the native capture protocol, docs/http-api.md. Confined to one thread; keeps its buffers.
class NativeDecoder {
 public:
  // Hands every event of the body to the sink, in order. An error is about the whole body: then whatever the sink
  // got is void. Errors: kBadInput (not JSON), kTooLarge (too many events).
  Result<Shape> decode(std::string_view body, const NativeRules& rules, EventSink& sink);

 private:
  enum class Outcome : uint8_t { good, bad, broken };

  Result<Shape> decode_document(std::string_view body, EventSink& sink);
  Result<Shape> decode_array(EventSink& sink);
  Result<Shape> decode_lines(std::string_view body, bool scanned, EventSink& sink);
  bool decode_line(std::string_view body, size_t from, size_t to, bool scanned, size_t index, EventSink& sink);

  // Reads one event at the reader's place. `good`: sent_ holds it. `bad`: its grammar is right and error_ says what
  // else is wrong. `broken`: the grammar is wrong.
  Outcome read_event();
  bool deliver(Outcome outcome, size_t index, EventSink& sink);
  void check_whole(size_t begin, size_t end);
  bool read_field(size_t field, size_t at);
  void read_text(const event::json::Value& value, std::string_view name, std::string_view& to, size_t bytes_max,
                 size_t at);
  void read_id_text(const event::json::Value& value, std::string_view name, std::string_view& to, size_t bytes_max,
                    size_t at);
  void read_time(const event::json::Value& value, std::string_view name, std::string_view& text,
                 std::optional<UnixMillis>& t, size_t at);
  void read_object(const event::json::Value& value, std::string_view name, std::string_view& to, size_t at);
  void read_revenue(const event::json::Value& value, size_t at);
  void read_amount(const event::json::Value& value, size_t at);
  void read_visitor(size_t field, const event::json::Value& value, size_t at);
  bool read_unknown(std::string_view key, size_t at);
  void add_extra(std::string_view key, const event::json::Value& value, size_t at);
  void derive_from_url();
  bool within(const event::json::Breach& breach, std::string_view name);

  std::string_view text_of(const event::json::Value& value);
  std::string_view minified(const event::json::Value& value);
  // Keeps the first thing wrong with the event.
  void wrong(ErrorCode code, size_t at, std::string message);
  void wrong(size_t at, std::string_view field, std::string_view what, std::string_view value = {});
  void wrong_kind(size_t at, std::string_view field, std::string_view wanted, const event::json::Value& value);
  std::string place(size_t index, size_t at) const;
  Error not_json(size_t at, std::string_view what) const;

  NativeRules rules_;
  event::json::Reader reader_;
  event::json::Arena arena_;
  SentEvent sent_;
  size_t body_offset_ = 0;  // bytes of a byte order mark before the body
  size_t offset_ = 0;       // of the text the reader walks over, in the body with that mark
  bool one_ = false;        // the body is one object: errors need no index
  bool has_error_ = false;
  ErrorCode error_code_ = ErrorCode::kBadInput;
  size_t error_at_ = 0;
  std::string error_;
  std::string extra_;
  std::vector<std::string_view> extra_keys_;
  std::string scratch_;
  std::string repaired_;                // a body that was not UTF-8, with '?' for what was not
  std::vector<uint32_t> invalid_utf8_;  // where, in the body
  size_t next_invalid_ = 0;
};

// A client's value as error messages show it: at most 64 bytes of it, in quotes, escaped.
std::string echoed(std::string_view text);

}  // namespace weir::collect
