#include "weir/enrich/source.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <initializer_list>

#include "weir/base/address.h"
#include "weir/event/url.h"

namespace weir::enrich {

namespace {
constexpr size_t kHostBytesMax = 253;
constexpr size_t kLabelBytesMax = 63;
constexpr size_t kLabelsMax = 8;  // of a host that are looked at, from the right: what a stranger can make us look up
constexpr size_t kReferrerBytesMax = 2048;  // of which more than scheme, host and the path's beginning is not needed
constexpr size_t kKeptBytesMax = 256;       // longer ones hardly repeat
constexpr size_t kTagBytesMax = 200;
constexpr size_t kMediumBytesMax = 100;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

std::string_view trim(std::string_view text) {
  while (!text.empty() && static_cast<unsigned char>(text.front()) <= ' ') text.remove_prefix(1);
  while (!text.empty() && static_cast<unsigned char>(text.back()) <= ' ') text.remove_suffix(1);
  return text;
}

// The front of `text`, whole characters of UTF-8.
std::string_view cut(std::string_view text, size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end);
}

void assign_lower(std::string& out, std::string_view text) {
  out.resize(text.size());
  std::transform(text.begin(), text.end(), out.begin(), lower);
}

bool equal_ignoring_case(std::string_view text, std::string_view lower_case) {
  return text.size() == lower_case.size() &&
         std::equal(text.begin(), text.end(), lower_case.begin(), [](char a, char b) { return lower(a) == b; });
}

// `host` is `other` or a host below it.
bool is_within(std::string_view host, std::string_view other) {
  return host.ends_with(other) &&
         (host.size() == other.size() || (!other.empty() && host[host.size() - other.size() - 1] == '.'));
}

// Lower-case labels with single dots between them. International names may stand there as themselves.
bool is_host(std::string_view host) {
  if (host.empty() || host.size() > kHostBytesMax) return false;
  size_t label = 0;
  bool ascii = true;
  for (char c : host) {
    if (c == '.') {
      if (label == 0) return false;
      label = 0;
      continue;
    }
    bool fine = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || (c & 0x80) != 0;
    if (!fine || ++label > kLabelBytesMax) return false;
    ascii = ascii && (c & 0x80) == 0;
  }
  return label > 0 && (ascii || simdjson::validate_utf8(host.data(), host.size()));
}

// For what has the form of a host: whether it is meant as an IPv4 address.
bool ends_in_number(std::string_view host) {
  std::string_view last = host.substr(host.rfind('.') + 1);
  return std::all_of(last.begin(), last.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_loopback(std::string_view host) {
  return host == "localhost" || host.ends_with(".localhost") || host == "::1" || host == "0.0.0.0" ||
         host.starts_with("127.");
}

// Where the top-level part of a host begins, at its dot: `.com`, `.co.uk`; npos for a host of one label.
size_t top_level_at(std::string_view host) {
  size_t dot = host.rfind('.');
  if (dot == std::string_view::npos || dot == 0 || host.size() - dot - 1 != 2) return dot;
  size_t second = host.rfind('.', dot - 1);
  if (second == std::string_view::npos) return dot;
  std::string_view label = host.substr(second + 1, dot - second - 1);
  for (std::string_view known : {"com", "co", "org", "net", "or", "ne", "ac", "edu", "gov"})
    if (label == known) return second;
  return dot;
}

std::string_view without_www(std::string_view host) {
  return host.starts_with("www.") && host.find('.', 4) != std::string_view::npos ? host.substr(4) : host;
}

bool is_unset(std::string_view medium) {
  return medium.empty() || medium == "(none)" || medium == "(not set)" || medium == "(not_set)";
}

// A listed tag that says by itself that the visit was paid for. Not so a source's name: Threads.
bool is_paid_tag(std::string_view tag) {
  return tag.ends_with("ads") || tag.ends_with("ad") || tag.ends_with("adwords");
}
}  // namespace

// Reads the lists line by line.
class Sources::Loader {
 public:
  explicit Loader(Sources& sources) : out_(sources) {}

  // Patterns of lists read before go before those of this one.
  Result<> read_table(std::string_view name, std::string_view text) {
    name_ = name;
    names_.clear();
    ++list_;
    uint32_t site = kNoSite;
    return each_line(text, [&](std::string_view line) -> Result<> {
      bool at_margin = line.front() != ' ' && line.front() != '\t';
      line = trim(line);
      if (at_margin) return heading(line, site);
      if (site == kNoSite) return bad(line, "patterns before the first source");
      while (!line.empty()) {
        std::string_view pattern = line.substr(0, line.find_first_of(" \t"));
        line = trim(line.substr(pattern.size()));
        if (auto added = add(pattern, site); !added) return added;
      }
      return {};
    });
  }

  Result<> read_spam(std::string_view text) {
    name_ = "spam list";
    return each_line(text, [&](std::string_view line) -> Result<> {
      assign_lower(pattern_, trim(line));
      if (!is_host(pattern_)) return bad(line, "not a host name");
      bool& spam = out_.hosts_[pattern_].spam;
      out_.spam_hosts_ += spam ? 0 : 1;
      spam = true;
      return {};
    });
  }

  // Each source's name is a tag of it, unless a tag says otherwise.
  void add_names() {
    for (uint32_t site = 0; site < out_.sites_.size(); ++site) {
      if (out_.sites_[site].medium == Medium::none) continue;
      assign_lower(pattern_, out_.sites_[site].name);
      std::replace(pattern_.begin(), pattern_.end(), ' ', '_');
      out_.tags_.emplace(pattern_, Tag{site, false});
    }
  }

 private:
  Error bad(std::string_view what, std::string_view why) const {
    return {ErrorCode::kBadInput, fmt::format("enrich: {}: line {}: `{}`: {}", name_, line_, cut(what, 80), why)};
  }

  template <class Take>
  Result<> each_line(std::string_view text, Take&& take) {
    if (text.size() > kSourceListBytesMax)
      return Error{ErrorCode::kTooLarge, fmt::format("enrich: {}: more than {} bytes", name_, kSourceListBytesMax)};
    for (line_ = 1; !text.empty(); ++line_) {
      size_t end = text.find('\n');
      std::string_view line = text.substr(0, end);
      text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
      for (size_t hash = line.find('#'); hash != std::string_view::npos; hash = line.find('#', hash + 1)) {
        if (hash == 0 || line[hash - 1] == ' ' || line[hash - 1] == '\t') line = line.substr(0, hash);
      }
      if (trim(line).empty()) continue;
      if (!simdjson::validate_utf8(line.data(), line.size())) return bad("", "not UTF-8");
      if (auto taken = take(line); !taken) return taken;
    }
    return {};
  }

  Result<> heading(std::string_view line, uint32_t& site) {
    std::string_view medium = line.substr(0, line.find_first_of(" \t"));
    Site made;
    if (!parse_medium(medium, made.medium))
      return bad(medium, "no medium; expected one such as search, social, referral");
    made.name = trim(line.substr(medium.size()));
    if (made.name.empty()) return bad(line, "the source has no name");
    if (made.name.size() > kMediumBytesMax) return bad(made.name, "the name is too long");
    if (!names_.emplace(made.name, line_).second)
      return bad(made.name, fmt::format("stands there already (line {})", names_[made.name]));
    site = static_cast<uint32_t>(out_.sites_.size());
    out_.sites_.push_back(std::move(made));
    return {};
  }

  Result<> add(std::string_view text, uint32_t site) {
    assign_lower(pattern_, text);
    std::string_view pattern = pattern_;
    bool click = pattern.starts_with("click:");
    bool many = click || pattern.starts_with("mark:");
    auto [seen, fresh] = seen_.try_emplace(pattern_, list_, line_);
    if (!fresh && seen->second.first != list_) return {};
    if (!fresh && !many) return bad(text, fmt::format("stands there already (line {})", seen->second.second));
    std::string_view rest = pattern.substr(pattern.find(':') + 1);
    if (many) {
      Click& kept = out_.clicks_[std::string(rest)];
      kept.paid = click;
      kept.sites.push_back(site);
      return {};
    }
    if (pattern.starts_with("utm:")) {
      out_.tags_.emplace(rest, Tag{site, is_paid_tag(rest)});
      return {};
    }
    if (pattern.starts_with("android-app://") || pattern.starts_with("ios-app://")) {
      out_.apps_.emplace(pattern_, site);
      return {};
    }
    size_t slash = pattern.find('/');
    std::string_view host = pattern.substr(0, slash);
    bool family = host.ends_with(".*");
    if (family) host.remove_suffix(2);
    if (!is_host(host)) return bad(text, "not a host, `host.*`, app, utm:, click: or mark:");
    Place& place = (family ? out_.families_ : out_.hosts_)[std::string(host)];
    if (slash == std::string_view::npos) {
      place.site = site;
      return {};
    }
    // As it was written: paths differ by case.
    std::string path(text.substr(slash));
    if (path.back() == '/') path.pop_back();
    auto at = std::find_if(place.paths.begin(), place.paths.end(),
                           [&](const auto& other) { return other.first.size() < path.size(); });
    place.paths.emplace(at, std::move(path), site);
    return {};
  }

  Sources& out_;
  std::string_view name_;
  int list_ = 0;
  int line_ = 0;
  std::string pattern_;
  std::unordered_map<std::string, std::pair<int, int>> seen_;  // list and line of each pattern
  std::unordered_map<std::string, int> names_;                 // line of each source of this list
};

Result<Sources> Sources::load(const SourceLists& lists, PublicSuffixes suffixes) {
  Sources made;
  made.suffixes_ = std::move(suffixes);
  Loader loader(made);
  if (auto read = loader.read_table("own sources", lists.overrides); !read) return std::move(read).error();
  if (auto read = loader.read_table("sources", lists.table); !read) return std::move(read).error();
  if (auto read = loader.read_spam(lists.spam); !read) return std::move(read).error();
  loader.add_names();
  return made;
}

Sources::Found Sources::find_host(std::string_view host, std::string_view path) const {
  Found found;
  auto match = [&](const Place& place) {
    for (const auto& [prefix, site] : place.paths) {
      if (path.starts_with(prefix) && (path.size() == prefix.size() || path[prefix.size()] == '/')) return site;
    }
    return place.site;
  };
  size_t top = top_level_at(host);
  size_t from = host.size();
  for (size_t labels = 0; labels < kLabelsMax && from != std::string_view::npos; ++labels)
    from = from == 0 ? std::string_view::npos : host.rfind('.', from - 1);
  from = from == std::string_view::npos ? 0 : from + 1;
  while (true) {
    if (auto at = hosts_.find(host.substr(from)); at != hosts_.end()) {
      if (found.site == kNoSite) found.site = match(at->second);
      if (at->second.spam && found.spam.empty()) found.spam = host.substr(from);
    }
    if (found.site == kNoSite && top != std::string_view::npos && from < top) {
      if (auto at = families_.find(host.substr(from, top - from)); at != families_.end())
        found.site = match(at->second);
    }
    if (found.site != kNoSite && spam_hosts_ == 0) break;
    size_t dot = host.find('.', from);
    if (dot == std::string_view::npos) break;
    from = dot + 1;
  }
  return found;
}

SourceFinder::SourceFinder(std::shared_ptr<const Sources> sources) : sources_(std::move(sources)) {}

std::string_view SourceFinder::registrable(std::string_view hostname) {
  if (registered_.empty()) registered_.resize(kRegistered);
  Registered& kept = registered_[Sources::Hash()(hostname) % registered_.size()];
  if (kept.hostname != hostname) {
    kept.name = sources_->suffixes_.registrable(hostname);
    kept.hostname = hostname;
  }
  return kept.name;
}

bool SourceFinder::is_own(std::string_view host, const SourceQuestion& question) {
  if (host == question.hostname) return true;
  for (const std::string& own : question.own_hostnames)
    if (is_within(host, own)) return true;
  if (question.hostname.empty() || question.hostname.size() > kHostBytesMax) return false;
  std::string_view registered = registrable(question.hostname);
  return !registered.empty() && is_within(host, registered);
}

const SourceFinder::Referrer& SourceFinder::read(std::string_view text) {
  const bool fits = !text.empty() && text.size() <= kKeptBytesMax;
  if (fits && referrers_.empty()) referrers_.resize(kReferrers);
  Referrer& kept = fits ? referrers_[Sources::Hash()(text) % referrers_.size()] : other_referrer_;
  if (kept.text != text) {
    kept.text = text;
    parse(kept.text, kept);
  }
  return kept;
}

void SourceFinder::parse(std::string_view text, Referrer& out) const {
  out.understood = false;
  out.app = false;
  out.site = Sources::kNoSite;
  out.host.clear();
  out.spam.clear();
  if (text.empty()) return;
  event::UrlParts parts = event::split_url(text);
  if (parts.hostname.size() > kHostBytesMax) return;
  for (std::string_view scheme : {"android-app", "ios-app"}) {
    if (!equal_ignoring_case(parts.scheme, scheme)) continue;
    assign_lower(out.host, parts.hostname);
    out.understood = out.app = is_host(out.host) && out.host.size() + scheme.size() + 3 <= kHostBytesMax;
    if (!out.app) return out.host.clear();
    out.host.insert(0, "://").insert(0, scheme);
    if (auto app = sources_->apps_.find(out.host); app != sources_->apps_.end()) out.site = app->second;
    return;
  }
  bool web =
      parts.scheme.empty() || equal_ignoring_case(parts.scheme, "https") || equal_ignoring_case(parts.scheme, "http");
  if (!web) return;
  std::string_view host = parts.hostname;
  if (host.empty() && parts.path.empty()) {  // `example.com/page`, as some clients write it
    host = text.substr(0, text.find_first_of("/?#"));
    size_t path = host.size();
    parts.path = text.substr(path, text.find_first_of("?#", path) - path);
    host = host.substr(0, host.find(':'));
    if (host.find('.') == std::string_view::npos || host.size() > kHostBytesMax) return;
  }
  assign_lower(out.host, host);
  host = out.host;
  if (host.find(':') != std::string_view::npos || (!host.empty() && ends_in_number(host))) {
    if (Address address; !parse_address(host, address)) return out.host.clear();
  } else if (!is_host(host)) {
    return out.host.clear();
  }
  if (is_loopback(host)) return;
  out.understood = true;
  Sources::Found found = sources_->find_host(host, parts.path);
  out.site = found.site;
  if (!found.spam.empty()) out.spam.assign("referrer spam: ").append(found.spam);
}

// Of a tag that is trimmed and cut. Leaves it in tag_ as tables have it: in lower case, blanks as `_`.
Sources::Tag SourceFinder::read_tag(std::string_view tag) {
  assign_lower(tag_, tag);
  std::replace(tag_.begin(), tag_.end(), ' ', '_');
  if (auto known = sources_->tags_.find(tag_); known != sources_->tags_.end()) return known->second;
  if (tag_.find('.') == std::string::npos || !is_host(tag_)) return {};
  return {sources_->find_host(tag_, {}).site, false};
}

SourceAnswer SourceFinder::find(const SourceQuestion& question) {
  SourceAnswer answer;
  tag_.clear();
  uint32_t site = Sources::kNoSite;
  ChannelQuestion channel;

  const Referrer& referrer = read(trim(question.referrer).substr(0, kReferrerBytesMax));
  bool own = !referrer.host.empty() && !referrer.app && is_own(referrer.host, question);
  if (!own) answer.spam = referrer.spam;

  std::string_view tag = cut(trim(question.utm_source), kTagBytesMax);
  if (!tag.empty()) {
    Sources::Tag known = read_tag(tag);
    if (known.site != Sources::kNoSite && sources_->sites_[known.site].medium == Medium::none) {
      tag = {};
      tag_.clear();
    } else {
      site = known.site;
      answer.source = tag;
      answer.reason = "utm_source";
      channel.paid_tag = known.paid;
    }
  }

  const Sources::Click* click = nullptr;
  if (!question.click_id.empty()) {
    std::string_view name = question.click_id.substr(0, question.click_id.find(':'));
    if (auto at = sources_->clicks_.find(name); at != sources_->clicks_.end()) {
      click = &at->second;
      channel.paid_click = click->paid;
      channel.display_click = name == "dclid";
    }
  }
  bool referred = !own && referrer.understood &&
                  (referrer.site == Sources::kNoSite || sources_->sites_[referrer.site].medium != Medium::none);
  if (tag.empty() && click != nullptr && (click->paid || !referred)) {
    auto listed = std::find(click->sites.begin(), click->sites.end(), referred ? referrer.site : Sources::kNoSite);
    site = listed == click->sites.end() ? click->sites.front() : *listed;
    answer.reason = "click id";
  } else if (tag.empty() && referred) {
    site = referrer.site;
    answer.source = without_www(referrer.host);
    answer.reason = "referrer";
  } else if (tag.empty()) {
    answer.reason = referrer.text.empty()  ? "no referrer"
                    : own                  ? "own site"
                    : !referrer.understood ? "referrer not understood"
                                           : "referrer passed over";
  }
  if (site != Sources::kNoSite) {
    answer.source = sources_->sites_[site].name;
    channel.source = sources_->sites_[site].medium;
  } else if (!answer.source.empty()) {
    channel.source = Medium::referral;
  }

  assign_lower(medium_, cut(trim(question.utm_medium), kMediumBytesMax));
  if (is_unset(medium_)) medium_.clear();
  assign_lower(campaign_, cut(trim(question.utm_campaign), kTagBytesMax));
  channel.utm_source = tag_;
  channel.utm_medium = medium_;
  channel.utm_campaign = campaign_;
  answer.channel = channel_of(channel);
  if (!medium_.empty()) {
    answer.medium = medium_;
  } else if (channel.display_click) {
    answer.medium = "display";
  } else if (channel.paid_click || channel.paid_tag) {
    answer.medium = "cpc";
  } else if (channel.source != Medium::none) {
    answer.medium = name_of(channel.source);
  }
  return answer;
}

}  // namespace weir::enrich
