#include "weir/journal/segmented/codec.h"

#include <fmt/format.h>
#include <zstd.h>

namespace weir::journal::segmented {

struct Compressor::State {
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ~State() { ZSTD_freeCCtx(context); }
};

Compressor::Compressor(int level) : state_(std::make_unique<State>()) {
  if (state_->context != nullptr) ZSTD_CCtx_setParameter(state_->context, ZSTD_c_compressionLevel, level);
}
Compressor::~Compressor() = default;

bool Compressor::compress(std::string_view in, std::string& out) {
  if (state_->context == nullptr) return false;
  out.resize(ZSTD_compressBound(in.size()));
  size_t size = ZSTD_compress2(state_->context, out.data(), out.size(), in.data(), in.size());
  if (ZSTD_isError(size) != 0 || size > in.size() - in.size() / 8) return false;
  out.resize(size);
  return true;
}

struct Inflater::State {
  ZSTD_DCtx* context = ZSTD_createDCtx();
  ~State() { ZSTD_freeDCtx(context); }
};

Inflater::Inflater() : state_(std::make_unique<State>()) {}
Inflater::~Inflater() = default;

Result<> Inflater::inflate(std::string_view in, size_t size, std::string& out) {
  if (state_->context == nullptr) return Error{ErrorCode::kUnavailable, "journal: zstd: no memory"};
  out.resize(size);
  size_t got = ZSTD_decompressDCtx(state_->context, out.data(), size, in.data(), in.size());
  if (ZSTD_isError(got) != 0) {
    return Error{ErrorCode::kCorrupt, fmt::format("journal: zstd: {}", ZSTD_getErrorName(got))};
  }
  if (got != size) return Error{ErrorCode::kCorrupt, fmt::format("journal: zstd: {} bytes instead of {}", got, size)};
  return {};
}

}  // namespace weir::journal::segmented
