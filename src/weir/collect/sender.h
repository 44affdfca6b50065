#pragma once

#include "weir/collect/intake.h"
#include "weir/http/message.h"

namespace weir::collect {

// Reads from a request who sends it. Headers that are too long are cut, bytes that are not UTF-8 become '?': they
// describe the visitor, and no event is lost over them.
Sender sender_of(const http::Request& request);

// The secret of `Authorization: Bearer <secret>` or `X-Weir-Key: <secret>`, or empty.
std::string_view key_of(const http::Request& request);

// What a capture request's Content-Type says of its body.
enum class BodyType : uint8_t { json, lines, unsupported };
BodyType body_type(std::string_view content_type);

}  // namespace weir::collect
