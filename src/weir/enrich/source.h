#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "weir/base/result.h"
#include "weir/enrich/channel.h"
#include "weir/enrich/public_suffix.h"

// Where a visit came from: the source, its medium and the channel. docs/sources.md says by which rules.
namespace weir::enrich {

// What a list may hold, in bytes.
inline constexpr size_t kSourceListBytesMax = 16 << 20;

struct SourceLists {
  std::string_view table;      // sites and tags, in the form of data/sources/sources.txt
  std::string_view overrides;  // the operator's own, of the same form; goes before `table`
  std::string_view spam;       // hosts that send referrer spam, one a line, `#` begins a comment
};

// weir's own table, data/sources/sources.txt, which is built into the program.
std::string_view built_in_sources();

// The lists, ready to be asked. Immutable.
class Sources {
 public:
  // Copies what it needs of `lists`.
  // Errors: kBadInput (names the list, the line and what is wrong there), kTooLarge (kSourceListBytesMax).
  static Result<Sources> load(const SourceLists& lists, PublicSuffixes suffixes);

  struct Site {
    std::string name;
    Medium medium = Medium::none;
  };
  size_t sites() const { return sites_.size(); }
  size_t spam_hosts() const { return spam_hosts_; }

 private:
  friend class SourceFinder;
  class Loader;
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  template <class Value>
  using Index = std::unordered_map<std::string, Value, Hash, std::equal_to<>>;

  static constexpr uint32_t kNoSite = UINT32_MAX;
  struct Place {
    uint32_t site = kNoSite;
    std::vector<std::pair<std::string, uint32_t>> paths;  // the longest first
    bool spam = false;
  };
  struct Tag {
    uint32_t site = kNoSite;
    bool paid = false;
  };
  struct Click {
    bool paid = false;
    std::vector<uint32_t> sites;
  };
  struct Found {
    uint32_t site = kNoSite;
    std::string_view spam;  // the listed host
  };

  Sources() = default;
  // `host` lower-case. What it answers are views into `host`.
  Found find_host(std::string_view host, std::string_view path) const;

  std::vector<Site> sites_;
  Index<Place> hosts_;
  Index<Place> families_;  // `google` of google.*
  Index<uint32_t> apps_;   // by the whole pattern
  Index<Tag> tags_;
  Index<Click> clicks_;
  size_t spam_hosts_ = 0;
  PublicSuffixes suffixes_;
};

// What is known of a visit's beginning. All of it may come from strangers.
struct SourceQuestion {
  std::string_view referrer = {};                   // as the client gave it
  std::string_view hostname = {};                   // of the page, lower-case
  std::span<const std::string> own_hostnames = {};  // further sites of the project, with all below them
  std::string_view utm_source = {};                 // decoded, as the two below
  std::string_view utm_medium = {};
  std::string_view utm_campaign = {};
  std::string_view click_id = {};  // `gclid:Cj0...`, as the column click_id
};

struct SourceAnswer {
  // Its name, as `Google`; a host; an utm_source. Empty for a direct visit. Up to 253 bytes.
  std::string_view source;
  // utm_medium, else what sort of place the source is. Empty for a direct visit. Up to 100 bytes.
  std::string_view medium;
  std::string_view channel;  // one of the names of docs/sources.md
  std::string_view reason;   // what decided the source: `utm_source`, `click id`, `referrer`, `own site` ...
  std::string_view spam;     // `referrer spam: HOST` when the referrer is listed; else empty
};

// Asks `sources`. Confined to one thread; remembers what it found of the last referrers, which repeat, and the
// registered names of the last hosts: at most 256 KB. No allocation once its buffers have grown.
class SourceFinder {
 public:
  explicit SourceFinder(std::shared_ptr<const Sources> sources);

  // Never fails: what is no address counts as no referrer. The answer's texts stay valid until the next call, and no
  // longer than those of the question.
  SourceAnswer find(const SourceQuestion& question);

 private:
  // A referrer, whatever page it led to.
  struct Referrer {
    std::string text;
    bool understood = false;
    std::string host;  // lower-case; with the scheme for an app; empty for what has none
    bool app = false;
    uint32_t site = Sources::kNoSite;
    std::string spam;
  };
  struct Registered {
    std::string hostname;
    std::string name;
  };

  const Referrer& read(std::string_view text);
  void parse(std::string_view text, Referrer& referrer) const;
  bool is_own(std::string_view host, const SourceQuestion& question);
  std::string_view registrable(std::string_view hostname);
  Sources::Tag read_tag(std::string_view tag);

  std::shared_ptr<const Sources> sources_;
  static constexpr size_t kReferrers = 256;
  static constexpr size_t kRegistered = 64;
  std::vector<Referrer> referrers_;  // empty before the first
  Referrer other_referrer_;          // too long to keep, or none
  std::vector<Registered> registered_;
  std::string tag_, medium_, campaign_;
};

}  // namespace weir::enrich
