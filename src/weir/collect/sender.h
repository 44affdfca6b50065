#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "weir/collect/drop_reason.h"
#include "weir/http/message.h"
#include "weir/settings/secrets.h"

namespace weir::collect {

// What a request says about who sends it: valid UTF-8 and bounded. Headers that are too long are cut, bytes that are
// not UTF-8 become '?': they describe the visitor, and no event is lost over them. The request must outlive it.
class Sender {
 public:
  explicit Sender(const http::Request& request);
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;

  const settings::Personal& personal() const { return personal_; }
  // That the visitor's browser asks not to be counted, by Global Privacy Control or, older, Do Not Track.
  std::optional<DropReason> signal() const;

 private:
  void add_hint(std::string_view name, std::string_view value);

  // What the request does not hold in this form.
  std::string user_agent_;
  std::string hints_;
  std::string language_;
  settings::Personal personal_;
  bool do_not_track_ = false;
};

// The secret of `Authorization: Bearer <secret>` or `X-Weir-Key: <secret>`, or empty.
std::string_view key_of(const http::Request& request);

// What a capture request's Content-Type says of its body.
enum class BodyType : uint8_t { json, lines, unsupported };
BodyType body_type(std::string_view content_type);

}  // namespace weir::collect
