#pragma once

#include <string>
#include <string_view>

#include "weir/base/result.h"
#include "weir/journal/segmented/format.h"

// How payloads of frames are packed. Thread-safe: each thread that packs or unpacks zstd keeps a context for it, about
// 90 KiB to unpack.
namespace weir::journal::segmented {

// The codec that the option journal.compression names; raw for "none".
Codec codec_of(std::string_view compression);

// Replaces `out`. False when it would save less than an eighth, or the library refuses, and for the codec raw: write it
// as it is then.
bool compress(Codec codec, std::string_view in, std::string& out);

// Replaces `out`, which becomes exactly `size` bytes (the caller has bounded it). Errors: kCorrupt, kUnavailable.
Result<> inflate(Codec codec, std::string_view in, size_t size, std::string& out);

}  // namespace weir::journal::segmented
