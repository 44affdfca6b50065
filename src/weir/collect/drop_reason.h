#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weir::collect {

// Why a policy keeps an event from being stored. No error: the sender gets a 2xx.
enum class DropReason : uint8_t {
  retention,
  gpc,  // Sec-GPC: 1, in a project that respects it
  dnt,  // DNT: 1, likewise
};
inline constexpr std::array<std::string_view, 3> kDropReasonNames = {"retention", "gpc", "dnt"};
constexpr std::string_view name_of(DropReason reason) { return kDropReasonNames[static_cast<size_t>(reason)]; }

}  // namespace weir::collect
