// libraries: weir_http weir_base
//
// Content codings of damaged and hostile bodies. The first byte picks the coding, the rest is the body.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "weir/base/check.h"
#include "weir/http/inflate.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace weir::http;
  if (size == 0) return 0;
  constexpr Coding kCodings[] = {Coding::gzip, Coding::deflate, Coding::br, Coding::zstd, Coding::identity};
  constexpr uint64_t kBytesMax = 256 * 1024;
  const Coding coding = kCodings[data[0] % 5];
  const std::string_view packed(reinterpret_cast<const char*>(data) + 1, size - 1);

  const auto whole = inflate(coding, packed, kBytesMax);
  if (whole) WEIR_CHECK(whole->size() <= kBytesMax);

  // Piece by piece it must come to the same.
  auto inflater = Inflater::open(coding, packed);
  WEIR_CHECK(inflater.has_value());
  std::string out;
  for (;;) {
    auto ended = (*inflater)->next(out, 1, kBytesMax);
    WEIR_CHECK(out.size() <= kBytesMax);
    if (!ended) {
      WEIR_CHECK(!whole && ended.error().code == whole.error().code);
      return 0;
    }
    if (*ended) break;
  }
  WEIR_CHECK(whole && out == *whole);
  return 0;
}
