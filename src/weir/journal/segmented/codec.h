#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "weir/base/result.h"
#include "weir/journal/segmented/format.h"

// How payloads of frames are packed. Each class is confined to one thread and keeps its context from call to call.
namespace weir::journal::segmented {

// The codec that the option journal.compression names; raw for "none".
Codec codec_of(std::string_view compression);

class Compressor {
 public:
  explicit Compressor(Codec codec);
  ~Compressor();
  Codec codec() const { return codec_; }
  // Replaces `out`. False when it would save less than an eighth, or the library refuses, and for the codec raw: write
  // it as it is then.
  bool compress(std::string_view in, std::string& out);

 private:
  struct State;
  Codec codec_;
  std::unique_ptr<State> state_;
};

class Inflater {
 public:
  Inflater();
  ~Inflater();
  // Replaces `out`, which becomes exactly `size` bytes (the caller has bounded it). Errors: kCorrupt.
  Result<> inflate(Codec codec, std::string_view in, size_t size, std::string& out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weir::journal::segmented
