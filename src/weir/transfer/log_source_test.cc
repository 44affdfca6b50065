#include "weir/transfer/log_source.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <lzma.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <thread>

#include "weir/base/bytes.h"
#include "weir/transfer/access_log.h"

namespace weir::transfer {
namespace {

std::string gzip(std::string_view text) {
  z_stream z{};
  deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&z, text.size()) + 64, '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  z.avail_in = static_cast<uInt>(text.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&z, Z_FINISH), Z_STREAM_END);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

std::string xz(std::string_view text) {
  std::string out(lzma_stream_buffer_bound(text.size()), '\0');
  size_t size = 0;
  EXPECT_EQ(lzma_easy_buffer_encode(6, LZMA_CHECK_CRC64, nullptr, reinterpret_cast<const uint8_t*>(text.data()),
                                    text.size(), reinterpret_cast<uint8_t*>(out.data()), &size, out.size()),
            LZMA_OK);
  out.resize(size);
  return out;
}

// With the checksum that the zstd program writes, too.
std::string zstd(std::string_view text) {
  std::string out(ZSTD_compressBound(text.size()), '\0');
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
  out.resize(ZSTD_compress2(context, out.data(), out.size(), text.data(), text.size()));
  ZSTD_freeCCtx(context);
  return out;
}

std::string numbered(int lines) {
  std::string text;
  for (int i = 0; i < lines; ++i) text += "line " + std::to_string(i) + " of a log\n";
  return text;
}

class LogSourceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "weir-logs-XXXXXX").string();
    root_ = ::mkdtemp(name.data());
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  std::string file(std::string_view bytes) {
    std::string path = root_ + "/log";
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }
  // Everything in it, read in pieces of `piece` bytes.
  static Result<std::string> read_all(LogSource& source, size_t piece) {
    std::string all;
    std::string buffer(piece, '\0');
    while (true) {
      auto got = source.read(buffer.data(), buffer.size());
      if (!got) return std::move(got).error();
      if (*got == 0) return all;
      all.append(buffer, 0, *got);
    }
  }
  void expect_content(std::string_view bytes, std::string_view packing, std::string_view text) {
    for (size_t piece : {size_t{7}, size_t{4096}, size_t{1} << 20}) {
      auto source = open_log(file(bytes));
      ASSERT_TRUE(source) << source.error().message;
      EXPECT_EQ((*source)->packing(), packing);
      EXPECT_EQ((*source)->total_bytes(), bytes.size());
      auto all = read_all(**source, piece);
      ASSERT_TRUE(all) << all.error().message;
      EXPECT_TRUE(*all == text) << packing << " in pieces of " << piece;
      EXPECT_EQ((*source)->read_bytes(), bytes.size());
    }
  }
  Error error_of(std::string_view bytes) {
    auto source = open_log(file(bytes));
    if (!source) return source.error();
    auto all = read_all(**source, 1000);
    EXPECT_FALSE(all) << "read " << all->size() << " bytes";
    return all ? Error{} : all.error();
  }

  std::string root_;
};

TEST_F(LogSourceTest, TellsThePackingByTheContent) {
  std::string text = numbered(20'000);
  expect_content(text, "plain", text);
  expect_content(gzip(text), "gzip", text);
  expect_content(xz(text), "xz", text);
  expect_content(zstd(text), "zstd", text);
  expect_content("", "plain", "");
  expect_content("x", "plain", "x");
}

TEST_F(LogSourceTest, ReadsMembersOneBehindTheOther) {
  std::string a = numbered(3000);
  std::string b = "the second part\n";
  expect_content(gzip(a) + gzip("") + gzip(b), "gzip", a + b);
  expect_content(xz(a) + xz(b), "xz", a + b);
  expect_content(zstd(a) + zstd(b), "zstd", a + b);
}

TEST_F(LogSourceTest, EmptyPackedFiles) {
  expect_content(gzip(""), "gzip", "");
  expect_content(xz(""), "xz", "");
  expect_content(zstd(""), "zstd", "");
}

TEST_F(LogSourceTest, PaddingBehindAGzipMemberIsNoError) {
  std::string text = numbered(10);
  auto source = open_log(file(gzip(text) + std::string(512, '\0')));
  ASSERT_TRUE(source);
  EXPECT_EQ(*read_all(**source, 100), text);
}

TEST_F(LogSourceTest, SaysWhenAPackedFileEndsTooEarly) {
  std::mt19937_64 random(1);
  std::string text;
  for (int i = 0; i < 3000; ++i) text += std::to_string(random()) + "\n";
  for (const std::string& packed : {gzip(text), xz(text), zstd(text)}) {
    for (size_t cut : {size_t{8}, packed.size() / 2, packed.size() - 1}) {
      Error error = error_of(std::string_view(packed).substr(0, cut));
      EXPECT_EQ(error.code, ErrorCode::kCorrupt) << error.message;
      EXPECT_NE(error.message.find("/log"), std::string::npos);
      EXPECT_NE(error.message.find("too early"), std::string::npos) << error.message;
    }
  }
}

TEST_F(LogSourceTest, SaysWhenAPackedFileIsDamaged) {
  std::string text = numbered(20'000);
  for (std::string packed : {gzip(text), xz(text), zstd(text)}) {
    for (size_t i = packed.size() / 2; i < packed.size() / 2 + 20; ++i) packed[i] = static_cast<char>(packed[i] ^ 0x55);
    EXPECT_EQ(error_of(packed).code, ErrorCode::kCorrupt);
  }
}

TEST_F(LogSourceTest, AnXzThatWantsTooMuchMemoryIsRefused) {
  lzma_options_lzma options;
  lzma_lzma_preset(&options, 6);
  options.dict_size = 1u << 30;
  lzma_filter filters[] = {{LZMA_FILTER_LZMA2, &options}, {LZMA_VLI_UNKNOWN, nullptr}};
  std::string packed = xz("text\n");
  // The dictionary's size is one byte of the block's header; its CRC follows. Making a real one needs 10 GiB.
  uint8_t properties = 0;
  ASSERT_EQ(lzma_properties_encode(filters, &properties), LZMA_OK);
  size_t block = 12;
  size_t header = (static_cast<uint8_t>(packed[block]) + 1u) * 4;
  size_t property = std::string::npos;
  for (size_t i = block + 2; i + 2 < block + header; ++i)
    if (packed[i] == 0x21 && packed[i + 1] == 1) property = i + 2;
  ASSERT_NE(property, std::string::npos);
  packed[property] = static_cast<char>(properties);
  uint32_t crc = lzma_crc32(reinterpret_cast<const uint8_t*>(packed.data() + block), header - 4, 0);
  store_le(packed.data() + block + header - 4, crc);
  Error error = error_of(packed);
  EXPECT_EQ(error.code, ErrorCode::kTooLarge) << error.message;
}

TEST_F(LogSourceTest, OtherThingsAreNamed) {
  EXPECT_EQ(error_of("BZh91AY&SY...").code, ErrorCode::kUnsupported);
  EXPECT_EQ(error_of("PK\x03\x04......").code, ErrorCode::kUnsupported);
  EXPECT_EQ(open_log(root_ + "/absent").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(open_log(root_).error().code, ErrorCode::kBadInput);
}

TEST_F(LogSourceTest, ReadsPipes) {
  std::string packed = gzip(numbered(1000));
  ASSERT_EQ(::mkfifo((root_ + "/pipe").c_str(), 0600), 0);
  std::thread writer([&] { std::ofstream(root_ + "/pipe", std::ios::binary) << packed; });
  auto source = open_log(root_ + "/pipe");
  ASSERT_TRUE(source);
  EXPECT_EQ((*source)->total_bytes(), 0u);
  EXPECT_EQ(*read_all(**source, 999), numbered(1000));
  writer.join();
}

class ChunkCutterTest : public LogSourceTest {
 protected:
  struct Cut {
    std::vector<LogChunk> chunks;
    uint64_t too_long = 0;
  };
  Cut cut(std::string_view text, size_t chunk_bytes) {
    auto source = open_log(file(text));
    ChunkCutter cutter(**source, chunk_bytes);
    Cut all;
    while (true) {
      auto chunk = cutter.next();
      EXPECT_TRUE(chunk);
      if (!chunk || chunk->count == 0) break;
      EXPECT_EQ(std::count(chunk->lines.begin(), chunk->lines.end(), '\n') + (chunk->lines.back() == '\n' ? 0 : 1),
                static_cast<long>(chunk->count));
      all.chunks.push_back(*std::move(chunk));
    }
    all.too_long = cutter.too_long();
    return all;
  }
};

TEST_F(ChunkCutterTest, ChunksAreWholeLinesAndTheWholeFile) {
  std::string text = numbered(10'000) + "the last without an end";
  for (size_t bytes : {size_t{1}, size_t{100}, size_t{4096}, size_t{300'000}, size_t{10'000'000}}) {
    Cut all = cut(text, bytes);
    std::string together;
    uint64_t line = 0;
    for (const LogChunk& chunk : all.chunks) {
      EXPECT_EQ(chunk.first_line, line);
      if (chunk.count > 1) {
        EXPECT_LE(chunk.lines.size(), bytes);
      }
      line += chunk.count;
      together += chunk.lines;
    }
    EXPECT_TRUE(together == text) << bytes;
    EXPECT_EQ(line, 10'001u);
  }
}

TEST_F(ChunkCutterTest, EmptyLinesAndFiles) {
  EXPECT_TRUE(cut("", 100).chunks.empty());
  Cut lines = cut("\n\n\n", 100);
  ASSERT_EQ(lines.chunks.size(), 1u);
  EXPECT_EQ(lines.chunks[0].count, 3u);
}

TEST_F(ChunkCutterTest, LongLinesAreLeftOutAndCounted) {
  std::string good = numbered(5);
  std::string text = good + std::string(5'000'000, 'x') + "\n" + good + std::string(kLineBytesMax + 2, 'y') + "\n" +
                     std::string(kLineBytesMax, 'z') + "\n" + std::string(200'000, 'w');
  Cut all = cut(text, 2'000'000);
  EXPECT_EQ(all.too_long, 3u);
  ASSERT_EQ(all.chunks.size(), 3u);
  EXPECT_EQ(all.chunks[0].lines, good);
  EXPECT_EQ(all.chunks[1].lines, good);
  EXPECT_EQ(all.chunks[1].first_line, 6u);
  EXPECT_EQ(all.chunks[2].first_line, 12u);
  EXPECT_EQ(all.chunks[2].lines.size(), kLineBytesMax + 1);
}

}  // namespace
}  // namespace weir::transfer
