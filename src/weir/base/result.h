#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include "weir/base/check.h"

namespace weir {

// Why something could not be done. Each code says which HTTP status answers it and whether trying again can help.
enum class ErrorCode : uint8_t {
  kBadInput,         // the request is wrong
  kTooLarge,         // above a stated limit
  kUnsupported,      // a content type or encoding we do not take
  kUnauthenticated,  // who are you?
  kForbidden,        // not yours
  kNotFound,         // no such thing
  kConflict,         // it changed meanwhile, or exists already
  kLimited,          // this caller is too fast
  kOverloaded,       // we are full
  kUnavailable,      // a dependency is away
  kTimeout,          // a dependency is too slow
  kCorrupt,          // stored bytes fail their check
};

// The code's lower-case name, as answers and logs show it: "bad_input".
std::string_view name_of(ErrorCode code);
int http_status(ErrorCode code);
bool is_retryable(ErrorCode code);

// `message` names the room and carries the value: "store: insert 1812..1900: timed out after 5 s".
struct Error {
  ErrorCode code;
  std::string message;
};

// A value or an Error. Member names follow std::expected.
template <class T = void>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT(google-explicit-constructor)
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(google-explicit-constructor)
  template <class U>
  requires(std::is_convertible_v<U&&, T> && !std::is_same_v<std::remove_cvref_t<U>, T> &&
           !std::is_same_v<std::remove_cvref_t<U>, Error> && !std::is_same_v<std::remove_cvref_t<U>, Result>)
      Result(U&& value)
      : state_(std::in_place_index<0>, std::forward<U>(value)) {}  // NOLINT(google-explicit-constructor)

  bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }

  T& value() & {
    WEIR_CHECK(has_value());
    return *std::get_if<0>(&state_);
  }
  const T& value() const& {
    WEIR_CHECK(has_value());
    return *std::get_if<0>(&state_);
  }
  T&& value() && {
    WEIR_CHECK(has_value());
    return std::move(*std::get_if<0>(&state_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  const Error& error() const& {
    WEIR_CHECK(!has_value());
    return *std::get_if<1>(&state_);
  }
  Error&& error() && {
    WEIR_CHECK(!has_value());
    return std::move(*std::get_if<1>(&state_));
  }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)), failed_(true) {}  // NOLINT(google-explicit-constructor)

  bool has_value() const { return !failed_; }
  explicit operator bool() const { return has_value(); }
  const Error& error() const& {
    WEIR_CHECK(failed_);
    return error_;
  }
  Error&& error() && {
    WEIR_CHECK(failed_);
    return std::move(error_);
  }

 private:
  Error error_{};
  bool failed_ = false;
};

}  // namespace weir
