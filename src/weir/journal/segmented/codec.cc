#include "weir/journal/segmented/codec.h"

#include <fmt/format.h>
#include <lz4.h>
#include <zstd.h>

#include <memory>

namespace weir::journal::segmented {

namespace {
constexpr int kZstdLevel = 1;
struct Freed {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};
static_assert(kPayloadBytesMax < LZ4_MAX_INPUT_SIZE);

size_t pack_lz4(std::string_view in, std::string& out) {
  out.resize(static_cast<size_t>(LZ4_compressBound(static_cast<int>(in.size()))));
  return static_cast<size_t>(
      LZ4_compress_default(in.data(), out.data(), static_cast<int>(in.size()), static_cast<int>(out.size())));
}
}  // namespace

Codec codec_of(std::string_view compression) {
  if (compression == "lz4") return Codec::lz4;
  return compression == "zstd" ? Codec::zstd : Codec::raw;
}

bool compress(Codec codec, std::string_view in, std::string& out) {
  size_t size = 0;
  if (codec == Codec::lz4) {
    if (in.size() > kPayloadBytesMax) return false;
    size = pack_lz4(in, out);
  } else if (codec == Codec::zstd) {
    thread_local const std::unique_ptr<ZSTD_CCtx, Freed> context(ZSTD_createCCtx());
    if (context == nullptr) return false;
    out.resize(ZSTD_compressBound(in.size()));
    size = ZSTD_compressCCtx(context.get(), out.data(), out.size(), in.data(), in.size(), kZstdLevel);
    if (ZSTD_isError(size) != 0) return false;
  }
  if (size == 0 || size > in.size() - in.size() / 8) return false;
  out.resize(size);
  return true;
}

Result<> inflate(Codec codec, std::string_view in, size_t size, std::string& out) {
  out.resize(size);
  size_t got = 0;
  if (codec == Codec::lz4) {
    int done = LZ4_decompress_safe(in.data(), out.data(), static_cast<int>(in.size()), static_cast<int>(size));
    if (done < 0) return Error{ErrorCode::kCorrupt, "journal: lz4: the payload is damaged"};
    got = static_cast<size_t>(done);
  } else {
    thread_local const std::unique_ptr<ZSTD_DCtx, Freed> context(ZSTD_createDCtx());
    if (context == nullptr) return Error{ErrorCode::kUnavailable, "journal: zstd: no memory"};
    got = ZSTD_decompressDCtx(context.get(), out.data(), size, in.data(), in.size());
    if (ZSTD_isError(got) != 0)
      return Error{ErrorCode::kCorrupt, fmt::format("journal: zstd: {}", ZSTD_getErrorName(got))};
  }
  if (got != size)
    return Error{ErrorCode::kCorrupt, fmt::format("journal: a payload of {} bytes instead of {}", got, size)};
  return {};
}

}  // namespace weir::journal::segmented
