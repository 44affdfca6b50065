#include "weir/http/inflate.h"

#include <brotli/decode.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <array>

#include "weir/base/bytes.h"
#include "weir/http/text.h"

namespace weir::http {

namespace {

constexpr size_t kBufferBytes = 64 * KiB;

Error corrupt(std::string_view what) {
  return {ErrorCode::kBadInput, "http: body: " + std::string(what) + " stream is damaged"};
}
Error cut_short(std::string_view what) {
  return {ErrorCode::kBadInput, "http: body: " + std::string(what) + " stream ends too early"};
}
Error trailing(std::string_view what) {
  return {ErrorCode::kBadInput, "http: body: bytes after the end of the " + std::string(what) + " stream"};
}
Error no_memory() { return {ErrorCode::kUnavailable, "http: body: no memory to inflate it"}; }

class Zlib final : public Inflater {
 public:
  Zlib(bool gzip, std::string_view packed) : gzip_(gzip), name_(gzip ? "gzip" : "deflate"), packed_(packed) {}
  ~Zlib() override {
    if (open_) inflateEnd(&stream_);
  }

  bool open() {
    // Added to the window bits: 16 asks for gzip's frame; a negative number for the bare stream, which some clients
    // send as "deflate" although the name means zlib's frame. Real encoders of the bare form never begin with bytes
    // that look like zlib's header: those would be a stored block with dirty padding.
    int window_bits = 15 + 16;
    if (!gzip_) window_bits = has_zlib_header() ? 15 : -15;
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed_.data()));
    open_ = inflateInit2(&stream_, window_bits) == Z_OK;
    return open_;
  }

  uint64_t state_bytes_max() const override { return 64 * KiB; }

 private:
  bool has_zlib_header() const {
    if (packed_.size() < 2) return true;
    const unsigned first = static_cast<unsigned char>(packed_[0]);
    const unsigned second = static_cast<unsigned char>(packed_[1]);
    return (first & 0x0FU) == 8 && (first >> 4U) <= 7 && (first * 256 + second) % 31 == 0;
  }

  Result<Step> step(char* to, size_t room) override {
    stream_.next_out = reinterpret_cast<Bytef*>(to);
    stream_.avail_out = static_cast<uInt>(room);
    for (;;) {
      // avail_in is 32 bits wide.
      const auto* end = reinterpret_cast<const Bytef*>(packed_.data() + packed_.size());
      stream_.avail_in = static_cast<uInt>(std::min<size_t>(static_cast<size_t>(end - stream_.next_in), 1 * GiB));
      const int code = ::inflate(&stream_, Z_NO_FLUSH);
      const size_t written = room - stream_.avail_out;
      const bool input_left = stream_.next_in != end;
      if (code == Z_STREAM_END) {
        if (!input_left) return Step{written, true};
        if (!gzip_) return trailing(name_);
        if (inflateReset(&stream_) != Z_OK) return corrupt(name_);
        if (*stream_.next_in != 0x1F) return trailing(name_);
        continue;  // the next member
      }
      if (code == Z_MEM_ERROR) return no_memory();
      if (code != Z_OK && code != Z_BUF_ERROR) return corrupt(name_);
      if (written == room) return Step{written, false};
      if (!input_left) return cut_short(name_);
    }
  }

  bool gzip_;
  std::string_view name_;
  std::string_view packed_;
  z_stream stream_{};
  bool open_ = false;
};

class Brotli final : public Inflater {
 public:
  explicit Brotli(std::string_view packed)
      : state_(BrotliDecoderCreateInstance(nullptr, nullptr, nullptr)),
        in_(reinterpret_cast<const uint8_t*>(packed.data())),
        in_left_(packed.size()) {}
  ~Brotli() override {
    if (state_ != nullptr) BrotliDecoderDestroyInstance(state_);
  }
  bool open() const { return state_ != nullptr; }

  uint64_t state_bytes_max() const override { return 17 * MiB; }

 private:
  Result<Step> step(char* to, size_t room) override {
    auto* out = reinterpret_cast<uint8_t*>(to);
    size_t out_left = room;
    const BrotliDecoderResult result = BrotliDecoderDecompressStream(state_, &in_left_, &in_, &out_left, &out, nullptr);
    switch (result) {
      case BROTLI_DECODER_RESULT_SUCCESS:
        if (in_left_ > 0) return trailing("br");
        return Step{room - out_left, true};
      case BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT:
        return Step{room - out_left, false};
      case BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT:
        return cut_short("br");
      case BROTLI_DECODER_RESULT_ERROR:
        break;
    }
    // The codes of failed allocations lie beside each other.
    const int code = BrotliDecoderGetErrorCode(state_);
    if (code <= BROTLI_DECODER_ERROR_ALLOC_CONTEXT_MODES && code >= BROTLI_DECODER_ERROR_ALLOC_BLOCK_TYPE_TREES)
      return no_memory();
    return corrupt("br");
  }

  BrotliDecoderState* state_;
  const uint8_t* in_;
  size_t in_left_;
};

class Zstd final : public Inflater {
 public:
  explicit Zstd(std::string_view packed) : context_(ZSTD_createDCtx()), in_{packed.data(), packed.size(), 0} {}
  ~Zstd() override { ZSTD_freeDCtx(context_); }

  bool open() {
    // RFC 8878 section 3.1.1.1.2: decoders on the web need not take windows above 8 MiB. The library's own limit would
    // let a few bytes ask for 128 MiB.
    return context_ != nullptr && ZSTD_isError(ZSTD_DCtx_setParameter(context_, ZSTD_d_windowLogMax, 23)) == 0;
  }

  uint64_t state_bytes_max() const override { return 9 * MiB; }

 private:
  Result<Step> step(char* to, size_t room) override {
    ZSTD_outBuffer out{to, room, 0};
    for (;;) {
      const size_t in_before = in_.pos;
      const size_t out_before = out.pos;
      const size_t hint = ZSTD_decompressStream(context_, &out, &in_);
      if (ZSTD_getErrorCode(hint) == ZSTD_error_memory_allocation) return no_memory();
      if (ZSTD_isError(hint) != 0) return corrupt("zstd");
      const bool input_left = in_.pos < in_.size;
      if (hint == 0 && !input_left) return Step{out.pos, true};
      if (out.pos == out.size) return Step{out.pos, false};
      if (hint == 0) continue;  // the next frame
      if (!input_left && out.pos == out_before) return cut_short("zstd");
      if (in_.pos == in_before && out.pos == out_before) return corrupt("zstd");
    }
  }

  ZSTD_DCtx* context_;
  ZSTD_inBuffer in_;
};

template <class T>
Result<std::unique_ptr<Inflater>> opened(std::unique_ptr<T> inflater) {
  if (!inflater->open()) return no_memory();
  return std::unique_ptr<Inflater>(std::move(inflater));
}

// A copy of the same bytes, for bodies that need no undoing.
class Identity final : public Inflater {
 public:
  explicit Identity(std::string_view packed) : left_(packed) {}

  uint64_t state_bytes_max() const override { return 0; }

 private:
  Result<Step> step(char* to, size_t room) override {
    const size_t count = left_.copy(to, room);
    left_.remove_prefix(count);
    return Step{count, left_.empty()};
  }
  std::string_view left_;
};

}  // namespace

Result<Coding> parse_coding(std::string_view content_encoding) {
  const std::string_view name = trim(content_encoding);
  if (name.empty() || equal_ignoring_case(name, "identity")) return Coding::identity;
  if (equal_ignoring_case(name, "gzip") || equal_ignoring_case(name, "x-gzip")) return Coding::gzip;
  if (equal_ignoring_case(name, "deflate")) return Coding::deflate;
  if (equal_ignoring_case(name, "br")) return Coding::br;
  if (equal_ignoring_case(name, "zstd")) return Coding::zstd;
  return Error{ErrorCode::kUnsupported, "http: Content-Encoding: one of " + std::string(kCodings) + " is taken"};
}

Result<std::unique_ptr<Inflater>> Inflater::open(Coding coding, std::string_view packed) {
  switch (coding) {
    case Coding::gzip:
    case Coding::deflate:
      return opened(std::make_unique<Zlib>(coding == Coding::gzip, packed));
    case Coding::br:
      return opened(std::make_unique<Brotli>(packed));
    case Coding::zstd:
      return opened(std::make_unique<Zstd>(packed));
    case Coding::identity:
      break;
  }
  return std::unique_ptr<Inflater>(std::make_unique<Identity>(packed));
}

Result<bool> Inflater::next(std::string& out, uint64_t piece_bytes, uint64_t bytes_max) {
  // Inflating into a fixed buffer first: `out` then grows by what is really there, and the limit is seen before it.
  thread_local std::array<char, kBufferBytes> buffer;
  const size_t before = out.size();
  for (;;) {
    auto step = this->step(buffer.data(), buffer.size());
    if (!step) return std::move(step).error();
    if (step->written > bytes_max - std::min<uint64_t>(bytes_max, out.size()))
      return Error{ErrorCode::kTooLarge, "http: body: larger than " + std::to_string(bytes_max) + " bytes inflated"};
    const size_t needed = out.size() + step->written;
    if (needed > out.capacity()) out.reserve(std::min<size_t>(std::max(needed, out.capacity() * 2), bytes_max));
    out.append(buffer.data(), step->written);
    if (step->ended) return true;
    if (out.size() - before >= piece_bytes) return false;
  }
}

Result<std::string> inflate(Coding coding, std::string_view packed, uint64_t bytes_max) {
  std::string out;
  auto inflater = Inflater::open(coding, packed);
  if (!inflater) return std::move(inflater).error();
  auto ended = (*inflater)->next(out, UINT64_MAX, bytes_max);
  if (!ended) return std::move(ended).error();
  return out;
}

}  // namespace weir::http
