#include "weir/enrich/channel.h"

#include <algorithm>
#include <array>
#include <initializer_list>

namespace weir::enrich {

namespace {
constexpr std::array<std::string_view, 13> kMediums = {"none",  "search", "social", "video", "email", "shopping", "ai",
                                                       "audio", "sms",    "push",   "news",  "paid",  "referral"};

bool is_any(std::string_view text, std::initializer_list<std::string_view> of) {
  return std::find(of.begin(), of.end(), text) != of.end();
}

bool holds(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

bool is_paid(std::string_view medium) {
  return holds(medium, "cp") || medium.starts_with("paid") ||
         is_any(medium, {"ppc", "retargeting", "remarketing", "sem"});
}

bool is_display(std::string_view medium) {
  return is_any(medium, {"display", "banner", "expandable", "interstitial", "cpm", "native"});
}

bool is_email(std::string_view text) {
  return holds(text, "email") || holds(text, "e-mail") || holds(text, "e_mail") || holds(text, "e mail") ||
         holds(text, "newsletter");
}

bool is_social(std::string_view medium) {
  return is_any(medium, {"social", "social-network", "social-media", "social_network", "social_media", "sm",
                         "social network", "social media"});
}

bool is_push(std::string_view medium) {
  return medium.ends_with("push") || holds(medium, "mobile") || holds(medium, "notification");
}

// "shopping", or "shop" where it begins a word or stands in "eshop"; not "workshop".
bool is_shopping(std::string_view campaign) {
  if (holds(campaign, "shopping")) return true;
  for (size_t at = campaign.find("shop"); at != std::string_view::npos; at = campaign.find("shop", at + 1)) {
    char before = at == 0 ? ' ' : campaign[at - 1];
    if (before == 'e' || before < 'a' || before > 'z') return true;
  }
  return false;
}

std::string_view paid_channel(const ChannelQuestion& q) {
  if (q.source == Medium::shopping || is_shopping(q.utm_campaign)) return "Paid Shopping";
  // `cpm` is how searches and social networks bill, too.
  if (q.display_click || (is_display(q.utm_medium) && q.utm_medium != "cpm")) return "Display";
  if (q.source == Medium::search) return "Paid Search";
  if (q.source == Medium::social) return "Paid Social";
  if (q.source == Medium::video) return "Paid Video";
  if (is_display(q.utm_medium) || q.source == Medium::paid) return "Display";
  if (is_social(q.utm_medium) || holds(q.utm_medium, "social")) return "Paid Social";
  if (holds(q.utm_medium, "search")) return "Paid Search";
  if (holds(q.utm_medium, "video")) return "Paid Video";
  return "Paid Other";
}

// The channel that utm_medium alone decides, or "".
std::string_view channel_of_medium(std::string_view medium) {
  if (medium.empty()) return "";
  if (is_display(medium)) return "Display";
  if (is_email(medium)) return "Email";
  if (is_any(medium, {"affiliate", "affiliates"})) return "Affiliates";
  if (is_any(medium, {"audio", "podcast"})) return "Audio";
  if (medium == "sms") return "SMS";
  if (is_push(medium)) return "Mobile Push Notifications";
  if (is_social(medium)) return "Organic Social";
  if (holds(medium, "video")) return "Organic Video";
  return "";
}

std::string_view channel_of_source(Medium source) {
  switch (source) {
    case Medium::search:
      return "Organic Search";
    case Medium::social:
      return "Organic Social";
    case Medium::video:
      return "Organic Video";
    case Medium::email:
      return "Email";
    case Medium::shopping:
      return "Organic Shopping";
    case Medium::ai:
      return "AI Assistants";
    case Medium::audio:
      return "Audio";
    case Medium::sms:
      return "SMS";
    case Medium::push:
      return "Mobile Push Notifications";
    case Medium::paid:
      return "Display";
    case Medium::none:
    case Medium::news:
    case Medium::referral:
      return "";
  }
  return "";
}
}  // namespace

std::string_view name_of(Medium medium) { return kMediums[static_cast<size_t>(medium)]; }

bool parse_medium(std::string_view name, Medium& medium) {
  auto found = std::find(kMediums.begin(), kMediums.end(), name);
  if (found == kMediums.end()) return false;
  medium = static_cast<Medium>(found - kMediums.begin());
  return true;
}

std::string_view channel_of(const ChannelQuestion& q) {
  if (holds(q.utm_campaign, "cross-network")) return "Cross-network";
  std::string_view by_medium = channel_of_medium(q.utm_medium);
  // A link in a mail keeps the click id of the page it was copied from; the mail is what brought the visit.
  bool carried = is_any(by_medium, {"Email", "SMS", "Mobile Push Notifications", "Affiliates", "Audio"});
  if (is_paid(q.utm_medium) || ((q.paid_click || q.paid_tag) && !carried)) return paid_channel(q);
  if (!by_medium.empty()) return by_medium;
  if (auto channel = channel_of_source(q.source); !channel.empty()) return channel;
  if (is_email(q.utm_source)) return "Email";
  if (is_shopping(q.utm_campaign)) return "Organic Shopping";
  if (q.utm_medium == "organic") return "Organic Search";
  if (q.source != Medium::none || is_any(q.utm_medium, {"referral", "app", "link"})) return "Referral";
  return "Direct";
}

}  // namespace weir::enrich
