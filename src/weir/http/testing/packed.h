#pragma once

#include <string>
#include <string_view>

namespace weir::http::testing {

// What a client would send: `window_bits` as zlib counts them, 15 + 16 for gzip, 15 for zlib's own form, -15 for bare
// deflate. Thread-safe.
std::string pack_zlib(std::string_view text, int window_bits);

}  // namespace weir::http::testing
