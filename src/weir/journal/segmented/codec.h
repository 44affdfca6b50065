#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "weir/base/result.h"

// zstd as frames use it. Each is confined to one thread and keeps its context from call to call.
namespace weir::journal::segmented {

class Compressor {
 public:
  explicit Compressor(int level);
  ~Compressor();
  // Replaces `out`. False when it would save less than an eighth, or the library refuses: write it as it is then.
  bool compress(std::string_view in, std::string& out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

class Inflater {
 public:
  Inflater();
  ~Inflater();
  // Replaces `out`, which becomes exactly `size` bytes (the caller has bounded it). Errors: kCorrupt.
  Result<> inflate(std::string_view in, size_t size, std::string& out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weir::journal::segmented
