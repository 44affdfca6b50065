#include "weir/journal/segmented/codec.h"

#include <fmt/format.h>
#include <lz4.h>
#include <zstd.h>

namespace weir::journal::segmented {

namespace {
constexpr int kZstdLevel = 1;
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

struct Compressor::State {
  ZSTD_CCtx* zstd = nullptr;
  ~State() { ZSTD_freeCCtx(zstd); }
};

Compressor::Compressor(Codec codec) : codec_(codec), state_(std::make_unique<State>()) {
  if (codec != Codec::zstd) return;
  state_->zstd = ZSTD_createCCtx();
  if (state_->zstd != nullptr) ZSTD_CCtx_setParameter(state_->zstd, ZSTD_c_compressionLevel, kZstdLevel);
}
Compressor::~Compressor() = default;

bool Compressor::compress(std::string_view in, std::string& out) {
  size_t size = 0;
  if (codec_ == Codec::lz4) {
    if (in.size() > kPayloadBytesMax) return false;
    size = pack_lz4(in, out);
  } else if (state_->zstd != nullptr) {
    out.resize(ZSTD_compressBound(in.size()));
    size = ZSTD_compress2(state_->zstd, out.data(), out.size(), in.data(), in.size());
    if (ZSTD_isError(size) != 0) return false;
  }
  if (size == 0 || size > in.size() - in.size() / 8) return false;
  out.resize(size);
  return true;
}

struct Inflater::State {
  ZSTD_DCtx* zstd = nullptr;  // 90 KiB, made when it is wanted
  ~State() { ZSTD_freeDCtx(zstd); }
};

Inflater::Inflater() : state_(std::make_unique<State>()) {}
Inflater::~Inflater() = default;

Result<> Inflater::inflate(Codec codec, std::string_view in, size_t size, std::string& out) {
  out.resize(size);
  size_t got = 0;
  if (codec == Codec::lz4) {
    int done = LZ4_decompress_safe(in.data(), out.data(), static_cast<int>(in.size()), static_cast<int>(size));
    if (done < 0) return Error{ErrorCode::kCorrupt, "journal: lz4: the payload is damaged"};
    got = static_cast<size_t>(done);
  } else {
    if (state_->zstd == nullptr) state_->zstd = ZSTD_createDCtx();
    if (state_->zstd == nullptr) return Error{ErrorCode::kUnavailable, "journal: zstd: no memory"};
    got = ZSTD_decompressDCtx(state_->zstd, out.data(), size, in.data(), in.size());
    if (ZSTD_isError(got) != 0)
      return Error{ErrorCode::kCorrupt, fmt::format("journal: zstd: {}", ZSTD_getErrorName(got))};
  }
  if (got != size)
    return Error{ErrorCode::kCorrupt, fmt::format("journal: a payload of {} bytes instead of {}", got, size)};
  return {};
}

}  // namespace weir::journal::segmented
