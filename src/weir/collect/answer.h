#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "weir/base/result.h"
#include "weir/collect/intake.h"
#include "weir/collect/native.h"
#include "weir/http/message.h"

namespace weir::collect {

// What became of the events of one request.
struct Tally {
  struct Rejected {
    size_t index;
    Error error;
  };
  struct Dropped {
    size_t index;
    DropReason reason;
  };
  uint64_t accepted = 0;
  std::vector<Rejected> rejected;
  std::vector<Dropped> dropped;
};

// The answer of the native protocol (docs/http-api.md). One object: 201 empty; 202 empty with X-Weir-Dropped; an
// error. Many: 201, 400 or 202 with the list.
http::Response answer(Shape shape, const Tally& tally);

}  // namespace weir::collect
