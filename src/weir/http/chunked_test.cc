#include "weir/http/chunked.h"

#include <gtest/gtest.h>

namespace weir::http {
namespace {

using State = ChunkedDecoder::State;

struct Decoded {
  State state;
  std::string body;
  std::string rest;
};

Decoded decode(std::string_view bytes, uint64_t limit = 1 << 20, size_t step = SIZE_MAX) {
  ChunkedDecoder decoder;
  Decoded out{State::more, "", ""};
  while (out.state == State::more && !bytes.empty()) {
    std::string_view piece = bytes.substr(0, step);
    const size_t size = piece.size();
    out.state = decoder.decode(piece, out.body, limit);
    bytes.remove_prefix(size - piece.size());
  }
  out.rest = bytes;
  return out;
}

TEST(ChunkedDecoder, JoinsTheChunksHoweverTheyArrive) {
  const std::string bytes =
      "5\r\nhello\r\n1;name=\"v\"\r\n,\r\n00a\r\n 123456789\r\n0\r\nX-Sum: 1\r\nY: z\r\n\r\nGET /";
  for (size_t step : {size_t{1}, size_t{2}, size_t{3}, size_t{7}, size_t{1000}}) {
    const Decoded out = decode(bytes, 1 << 20, step);
    EXPECT_EQ(out.state, State::done);
    EXPECT_EQ(out.body, "hello, 123456789");
    EXPECT_EQ(out.rest, "GET /");
  }
}

TEST(ChunkedDecoder, RefusesWhatIsNotChunks) {
  for (const char* bytes : {"\r\n",
                            "g\r\n",
                            " 5\r\nhello\r\n",
                            "5 \r\nhello\r\n",
                            "+5\r\nhello\r\n",
                            "-1\r\n",
                            "0x5\r\nhello\r\n",
                            "5\nhello\r\n",
                            "5\rhello",
                            "5\r\nhelloX",
                            "5\r\nhello\n",
                            "5\r\nhello\rX",
                            "5;a\nb\r\n",
                            "5;a\x01\r\n",
                            "1000000000000000\r\n",
                            "ffffffffffffffffffff\r\n",
                            "00000000000000005\r\n",
                            "0\r\n: x\r\n",
                            "0\r\n x\r\n",
                            "0\r\nA: b\nC: d\r\n\r\n",
                            "0\r\n\rX",
                            "0\r\nA: \x00"}) {
    // The last has an embedded NUL, which ends the text: give it as it is meant.
    std::string text = bytes;
    if (text.ends_with("A: ")) text.push_back('\0');
    EXPECT_EQ(decode(text).state, State::bad) << bytes;
  }
}

TEST(ChunkedDecoder, ToldByTheSizeBeforeTheData) {
  EXPECT_EQ(decode("400\r\n", 1024).state, State::more);
  EXPECT_EQ(decode("401\r\n", 1024).state, State::too_long);
  EXPECT_EQ(decode("fffffffffffffff\r\n", 1024).state, State::too_long);
  EXPECT_EQ(decode("5\r\nhello\r\n6\r\n", 10).state, State::too_long);
  EXPECT_EQ(decode("5\r\nhello\r\n5\r\nworld\r\n0\r\n\r\n", 10).state, State::done);
}

TEST(ChunkedDecoder, BoundsExtensionsAndTrailers) {
  const std::string extension(ChunkedDecoder::kExtensionBytesMax, 'x');
  EXPECT_EQ(decode("1;" + extension + "\r\na\r\n0\r\n\r\n").state, State::done);
  EXPECT_EQ(decode("1;" + extension + "x\r\na\r\n0\r\n\r\n").state, State::bad);
  EXPECT_EQ(decode("1;" + extension + "\r\na\r\n0;x\r\n\r\n").state, State::bad);
  EXPECT_EQ(decode("0\r\nA: " + std::string(ChunkedDecoder::kTrailerBytesMax, 'x')).state, State::bad);
}

}  // namespace
}  // namespace weir::http
