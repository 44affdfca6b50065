#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "weir/base/clock.h"
#include "weir/base/result.h"
#include "weir/enrich/bots.h"
#include "weir/enrich/place.h"

// The data packs one by one: what each is called, how it is read and how its file is recognised. A new pack is a member
// of PackParts, a row in pack_kinds.cc and a line in tools/packs/packs.txt.
namespace weir::enrich {

// What the files became; each member is null while its pack is missing.
struct PackParts {
  std::shared_ptr<const AgentTable> agents;
  std::shared_ptr<const IsbotRules> isbot;
  std::shared_ptr<const CrawlerList> crawlers;
  Places::Files places;
  // As they were read, and found to be right; Packs has what is made of several of them.
  std::shared_ptr<const std::string> user_agent_rules;    // uap-core's regexes.yaml
  std::shared_ptr<const std::string> user_agent_overlay;  // weir's own rules, asked first
  std::shared_ptr<const std::string> public_suffixes;
  std::shared_ptr<const std::string> sources;     // an operator's, before weir's own table
  std::shared_ptr<const std::string> spam_hosts;  // an operator's, one host a line
};

struct PackFile {
  std::string path;
  std::string copies_in;  // see PlaceFile::open
  PlaceFile::Check check = PlaceFile::Check::sample;
};

struct PackFacts {
  UnixMillis date = 0;   // when the data was made, by the file itself; 0: it does not say
  std::string contents;  // "206 rules, 6 of them with look-around"
};

struct PackKind {
  std::string_view name;     // of the file
  std::string_view purpose;  // "is it a bot"
  bool shipped;              // weir comes with it; else it is there only when an operator has one
  // Puts what the file becomes into `parts`, or on an error leaves them as they are.
  // Errors: kNotFound, kUnavailable, kOverloaded (try again); kCorrupt, kTooLarge (another file is needed).
  Result<PackFacts> (*load)(const PackFile& file, PackParts& parts);
  void (*drop)(PackParts& parts);
};

std::span<const PackKind> pack_kinds();
// Null when there is none of that name.
const PackKind* pack_kind(std::string_view name);

// Which pack a file is, by what is in it. Errors: kBadInput (none of them, or which one cannot be told), as
// read_file().
Result<const PackKind*> recognise_pack(const std::string& path);

}  // namespace weir::enrich
