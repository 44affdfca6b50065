#pragma once

#include <cstdint>
#include <string>

#include "weir/base/options.h"

namespace weir::settings {

struct Options {
  std::string kind = "sqlite";
  bool rebuild = false;
};

template <class Visitor>
void describe(Visitor& option, Options& o) {
  option("kind", o.kind, one_of({"sqlite", "postgres"}),
         "Where projects and keys are kept: `sqlite` is DATA/settings.db; `postgres` is not built in this version.");
  option(
      "rebuild", o.rebuild, any_value,
      "When settings.db is missing or damaged, make it again from settings.snapshot; the damaged one is kept aside.");
}

// Belongs to the section `journal`, because what it limits is the life of the journal's personal fields.
struct PersonalOptions {
  uint64_t personal_days = 7;
};

template <class Visitor>
void describe(Visitor& option, PersonalOptions& o) {
  option("personal_days", o.personal_days, between(1, 3650),
         "Addresses and user agents in the journal become unreadable when this many days have passed after the day of "
         "receipt.");
}

}  // namespace weir::settings
