#include "weir/http/inflate.h"

#include <brotli/encode.h>
#include <gtest/gtest.h>
#include <zstd.h>

#include "weir/base/bytes.h"
#include "weir/http/testing/packed.h"

namespace weir::http {
namespace {

using testing::pack_zlib;

std::string pack_gzip(std::string_view text) { return pack_zlib(text, 15 + 16); }
std::string pack_deflate(std::string_view text) { return pack_zlib(text, 15); }
std::string pack_raw(std::string_view text) { return pack_zlib(text, -15); }
std::string pack_br(std::string_view text) {
  size_t size = BrotliEncoderMaxCompressedSize(text.size()) + 64;
  std::string out(size, '\0');
  EXPECT_TRUE(BrotliEncoderCompress(9, BROTLI_MAX_WINDOW_BITS, BROTLI_MODE_GENERIC, text.size(),
                                    reinterpret_cast<const uint8_t*>(text.data()), &size,
                                    reinterpret_cast<uint8_t*>(out.data())));
  out.resize(size);
  return out;
}
std::string pack_zstd(std::string_view text) {
  std::string out(ZSTD_compressBound(text.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 9));
  return out;
}

struct Codec {
  const char* name;
  Coding coding;
  std::string (*pack)(std::string_view);
};
const Codec kCodecs[] = {{"gzip", Coding::gzip, pack_gzip},
                         {"deflate", Coding::deflate, pack_deflate},
                         {"raw deflate", Coding::deflate, pack_raw},
                         {"br", Coding::br, pack_br},
                         {"zstd", Coding::zstd, pack_zstd}};

// Compresses well, but not to nothing.
std::string sample(size_t size) {
  std::string text;
  for (uint64_t i = 0; text.size() < size; ++i) text += std::to_string(i * 2654435761U % 100003) + ",";
  text.resize(size);
  return text;
}

TEST(Inflate, GivesBackWhatWasPacked) {
  for (const Codec& codec : kCodecs)
    for (size_t size : {size_t{1}, size_t{300}, size_t{65535}, size_t{65536}, size_t{65537}, size_t{1000000}}) {
      const std::string text = sample(size);
      auto out = inflate(codec.coding, codec.pack(text), 1 * MiB);
      ASSERT_TRUE(out) << codec.name << " " << size << ": " << out.error().message;
      EXPECT_TRUE(*out == text) << codec.name << " " << size;
    }
}

TEST(Inflate, PiecesMakeUpTheWhole) {
  const std::string text = sample(500'000);
  for (const Codec& codec : kCodecs) {
    const std::string packed = codec.pack(text);
    auto inflater = Inflater::open(codec.coding, packed);
    ASSERT_TRUE(inflater);
    std::string out;
    size_t calls = 0;
    for (;;) {
      auto ended = (*inflater)->next(out, 100'000, 1 * MiB);
      ASSERT_TRUE(ended) << codec.name;
      ++calls;
      if (*ended) break;
      ASSERT_LT(calls, 10U);
    }
    EXPECT_GE(calls, 3U) << codec.name;
    EXPECT_TRUE(out == text) << codec.name;
  }
}

TEST(Inflate, TheLimitIsExact) {
  const std::string text = sample(200'000);
  for (const Codec& codec : kCodecs) {
    const std::string packed = codec.pack(text);
    EXPECT_TRUE(inflate(codec.coding, packed, text.size())) << codec.name;
    auto over = inflate(codec.coding, packed, text.size() - 1);
    ASSERT_FALSE(over) << codec.name;
    EXPECT_EQ(over.error().code, ErrorCode::kTooLarge) << codec.name;
    EXPECT_FALSE(inflate(codec.coding, packed, 0)) << codec.name;
  }
}

TEST(Inflate, ABombDiesAtTheCap) {
  // 64 MiB of nothing; what it inflates to must never be held.
  const std::string nothing(64 * MiB, '\0');
  for (const Codec& codec : kCodecs) {
    const std::string packed = codec.pack(nothing);
    ASSERT_LT(packed.size(), 300 * KiB) << codec.name;
    auto inflater = Inflater::open(codec.coding, packed);
    ASSERT_TRUE(inflater);
    std::string out;
    auto ended = (*inflater)->next(out, UINT64_MAX, 4 * MiB);
    ASSERT_FALSE(ended) << codec.name;
    EXPECT_EQ(ended.error().code, ErrorCode::kTooLarge) << codec.name;
    EXPECT_LE(out.capacity(), 4 * MiB + 64 * KiB) << codec.name;
  }
}

TEST(Inflate, ABombOfManyMembersDiesAtTheCap) {
  const std::string member = pack_gzip(std::string(1 * MiB, 'a'));
  std::string packed;
  for (int i = 0; i < 64; ++i) packed += member;
  auto out = inflate(Coding::gzip, packed, 16 * MiB);
  ASSERT_FALSE(out);
  EXPECT_EQ(out.error().code, ErrorCode::kTooLarge);
}

TEST(Inflate, MembersAndFramesAreJoined) {
  EXPECT_EQ(*inflate(Coding::gzip, pack_gzip("one ") + pack_gzip("") + pack_gzip("two"), 100), "one two");
  EXPECT_EQ(*inflate(Coding::zstd, pack_zstd("one ") + pack_zstd("") + pack_zstd("two"), 100), "one two");
}

TEST(Inflate, EveryTruncationIsSeen) {
  const std::string text = sample(2000);
  for (const Codec& codec : kCodecs) {
    const std::string packed = codec.pack(text);
    for (size_t size = 0; size < packed.size(); ++size) {
      auto out = inflate(codec.coding, packed.substr(0, size), 1 * MiB);
      ASSERT_FALSE(out) << codec.name << " cut at " << size;
      EXPECT_EQ(out.error().code, ErrorCode::kBadInput) << codec.name << " cut at " << size;
    }
  }
}

TEST(Inflate, WhatFollowsTheEndIsRefused) {
  for (const Codec& codec : kCodecs)
    for (std::string_view tail : {std::string_view("x"), std::string_view("\0", 1), std::string_view("\x1f\x8b")}) {
      auto out = inflate(codec.coding, codec.pack("text") + std::string(tail), 100);
      ASSERT_FALSE(out) << codec.name;
      EXPECT_EQ(out.error().code, ErrorCode::kBadInput) << codec.name;
    }
}

TEST(Inflate, PlainTextIsNotACoding) {
  for (const Codec& codec : kCodecs)
    for (std::string_view text : {R"({"type":"click"})", "hello", "", "\x1f\x8b", "\x28\xb5\x2f\xfd"}) {
      auto out = inflate(codec.coding, text, 100);
      ASSERT_FALSE(out) << codec.name << ": " << text;
      EXPECT_EQ(out.error().code, ErrorCode::kBadInput) << codec.name << ": " << text;
    }
}

TEST(Inflate, AHugeZstdWindowIsRefused) {
  // A frame that asks for a window of 128 MiB: the library's own limit would grant it.
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, 27);
  ZSTD_CCtx_setParameter(context, ZSTD_c_enableLongDistanceMatching, 1);
  const std::string text = sample(1000);
  std::string packed(ZSTD_compressBound(text.size()) + 1024, '\0');
  ZSTD_inBuffer in{text.data(), text.size(), 0};
  ZSTD_outBuffer out{packed.data(), packed.size(), 0};
  // Flushing before the end keeps the encoder from shrinking the window to the content.
  ZSTD_compressStream2(context, &out, &in, ZSTD_e_flush);
  ASSERT_EQ(ZSTD_compressStream2(context, &out, &in, ZSTD_e_end), 0U);
  ZSTD_freeCCtx(context);
  auto result = inflate(Coding::zstd, std::string_view(packed).substr(0, out.pos), 1 * MiB);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kBadInput);
}

TEST(ParseCoding, OneKnownCodingOnly) {
  EXPECT_EQ(*parse_coding(""), Coding::identity);
  EXPECT_EQ(*parse_coding("identity"), Coding::identity);
  EXPECT_EQ(*parse_coding(" GZip "), Coding::gzip);
  EXPECT_EQ(*parse_coding("x-gzip"), Coding::gzip);
  EXPECT_EQ(*parse_coding("deflate"), Coding::deflate);
  EXPECT_EQ(*parse_coding("br"), Coding::br);
  EXPECT_EQ(*parse_coding("zstd"), Coding::zstd);
  for (const char* name : {"gzip, gzip", "gzip,br", "compress", "gzip;q=1", ",", "*"}) {
    auto coding = parse_coding(name);
    ASSERT_FALSE(coding) << name;
    EXPECT_EQ(coding.error().code, ErrorCode::kUnsupported) << name;
  }
}

}  // namespace
}  // namespace weir::http
