#include "load_driver/response.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace weir::bench {
namespace {

using State = ParsedResponse::State;

TEST(LoadResponse, EmptyCreated) {
  const std::string text = "HTTP/1.1 201 Created\r\nServer: x\r\nContent-Length: 0\r\n\r\n";
  const ParsedResponse r = parse_response(text);
  EXPECT_EQ(r.state, State::complete);
  EXPECT_EQ(r.status, 201);
  EXPECT_EQ(r.bytes, text.size());
  EXPECT_FALSE(r.close);
}

TEST(LoadResponse, EveryPrefixIsIncomplete) {
  const std::string text = "HTTP/1.1 201 Created\r\ncontent-LENGTH:  5 \r\n\r\nhello";
  for (size_t n = 0; n < text.size(); ++n) EXPECT_EQ(parse_response(text.substr(0, n)).state, State::incomplete) << n;
  const ParsedResponse r = parse_response(text);
  EXPECT_EQ(r.state, State::complete);
  EXPECT_EQ(r.body, "hello");
}

TEST(LoadResponse, LeavesTheNextAnswerAlone) {
  const std::string one = "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno";
  const std::string both = one + one;
  const ParsedResponse r = parse_response(both);
  EXPECT_EQ(r.bytes, one.size());
  EXPECT_EQ(r.status, 503);
  EXPECT_TRUE(r.close);
}

TEST(LoadResponse, RefusesWhatItCannotMeasure) {
  EXPECT_EQ(parse_response("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").state, State::broken);
  EXPECT_EQ(parse_response("HTTP/1.1 200 OK\r\n\r\n").state, State::broken);
  EXPECT_EQ(parse_response("SSH-2.0-OpenSSH\r\n\r\n").state, State::broken);
  EXPECT_EQ(parse_response("HTTP/1.1 abc\r\nContent-Length: 0\r\n\r\n").state, State::broken);
  EXPECT_EQ(parse_response("HTTP/1.1 204 No Content\r\n\r\n").state, State::complete);
}

TEST(LoadResponse, BatchAnswerGivesBothLists) {
  BatchAnswer answer;
  ASSERT_TRUE(parse_batch_answer(
      R"({"accepted":97,"rejected":[{"index":3,"error":"type: missing \"index\":9"},{"index":40,"error":"x"}],)"
      R"("dropped":[{"index":99,"reason":"retention"}]})",
      answer));
  EXPECT_EQ(answer.accepted, 97u);
  EXPECT_THAT(answer.rejected, testing::ElementsAre(3, 40));
  EXPECT_THAT(answer.dropped, testing::ElementsAre(99));
  EXPECT_FALSE(parse_batch_answer("", answer));
  EXPECT_FALSE(parse_batch_answer("<html>", answer));
}

}  // namespace
}  // namespace weir::bench
