#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "weir/base/clock.h"
#include "weir/base/ids.h"
#include "weir/base/result.h"

// Where is my event: the question, the answer and its JSON. How each part of weir is asked is not said here.
namespace weir::trace {

// What is asked for: an event's id as its client gave it or as the view shows it (`w1-812`), or a position of the
// journal
// (`live:812`).
struct Question {
  std::string id;
  std::optional<ProjectId> project;  // set: events of others do not exist
};

enum class Stage : uint8_t {
  unknown,    // no accepted event answers to it, as far as is remembered
  forgotten,  // the journal has removed the record, and there is neither row nor outcome
  damaged,    // it was accepted, and cannot be read any more
  waiting,    // in the journal, not in the store yet
  stored,     // a row
  settled,    // no row, and it needs none: see `outcome`
};
std::string_view name_of(Stage stage);

// One accepted record, and what became of it.
struct Sighting {
  std::string partition;
  uint64_t offset = 0;
  uint32_t epoch = 0;
  std::string project;  // its name, or its number where it has none any more
  Stage stage = Stage::unknown;
  std::string outcome;         // of `settled`: duplicate, dead, expired, erased, moved
  std::string reason;          // of a dead letter
  std::string first;           // of a duplicate: the position that counts, "live:99"
  uint64_t before = 0;         // of `waiting`: records to be loaded before it
  UnixMillis received_at = 0;  // 0: the record could not be read
  std::string record;          // JSON text, or empty
  std::string row;             // JSON text of the view's columns, or empty
};

// {"id":"...","sightings":[...]}, a sighting's absent fields left out.
std::string to_json(const std::string& id, const std::vector<Sighting>& sightings);

// What can be asked. Blocking; thread-safe.
class Tracer {
 public:
  virtual ~Tracer() = default;
  // All accepted records that answer to the id; none when there is none. Errors: kBadInput (not a position),
  // kUnavailable (the store is away; what the journal knows is answered without it where it settles the question).
  virtual Result<std::vector<Sighting>> find(const Question& question) = 0;
};

}  // namespace weir::trace
