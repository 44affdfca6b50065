#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weir/base/clock.h"
#include "weir/base/result.h"

namespace weir::api {

// A request's JSON object, field by field. Confined to its handler.
// Errors: kBadInput, naming field and value.
class Body {
 public:
  // Refuses what is no object and fields beside `known`.
  static Result<Body> parse(std::string_view text, std::initializer_list<std::string_view> known);
  ~Body();
  Body(Body&&) noexcept;

  // Absent or null: nothing.
  Result<std::optional<std::string>> text(std::string_view field) const;
  Result<std::optional<uint64_t>> number(std::string_view field) const;
  Result<std::optional<std::vector<std::string>>> texts(std::string_view field) const;
  // RFC 3339.
  Result<std::optional<UnixMillis>> moment(std::string_view field) const;
  // As text(), but must be there.
  Result<std::string> needed_text(std::string_view field) const;

 private:
  struct State;
  explicit Body(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace weir::api
