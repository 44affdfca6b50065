#pragma once

#include <cstdint>
#include <string_view>

namespace weir::enrich {

// What sort of place a source is.
enum class Medium : uint8_t {
  none,
  search,
  social,
  video,
  email,
  shopping,
  ai,
  audio,
  sms,
  push,
  news,
  paid,
  referral
};
std::string_view name_of(Medium medium);
bool parse_medium(std::string_view name, Medium& medium);

// What a visit's channel is decided by. All texts lower-case.
struct ChannelQuestion {
  Medium source = Medium::none;  // of the source found; none: there is no source
  bool paid_click = false;       // a click id that advertising networks put on paid clicks
  bool paid_tag = false;         // an utm_source such as `fb-ads`
  bool display_click = false;    // a click id of banners (dclid)
  std::string_view utm_source = {};
  std::string_view utm_medium = {};
  std::string_view utm_campaign = {};
};

// The channel, one of the names of docs/sources.md, where the rules stand. Never fails; the text is static.
std::string_view channel_of(const ChannelQuestion& question);

}  // namespace weir::enrich
