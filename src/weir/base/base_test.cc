#include <gtest/gtest.h>

#include <filesystem>

#include "weir/base/bytes.h"
#include "weir/base/clock.h"
#include "weir/base/files.h"
#include "weir/base/json_writer.h"
#include "weir/base/metrics.h"
#include "weir/base/queue.h"
#include "weir/base/random.h"

namespace weir {
namespace {

TEST(Crc32c, KnownVectorsBothWays) {
  // RFC 3720 B.4.
  std::string zeros(32, '\0');
  std::string ones(32, '\xff');
  std::string rising;
  for (int i = 0; i < 32; ++i) rising.push_back(static_cast<char>(i));
  for (auto* crc : {&crc32c, &crc32c_portable}) {
    EXPECT_EQ(crc(zeros, 0), 0x8a9136aau);
    EXPECT_EQ(crc(ones, 0), 0x62a8ab43u);
    EXPECT_EQ(crc(rising, 0), 0x46dd794eu);
    EXPECT_EQ(crc("123456789", 0), 0xe3069283u);
  }
}

TEST(Crc32c, HardwareAndTableAgreeOnEveryLengthAndSplit) {
  std::string bytes = random_bytes(1700);
  for (size_t n = 0; n <= bytes.size(); ++n) {
    std::string_view whole = std::string_view(bytes).substr(0, n);
    EXPECT_EQ(crc32c(whole), crc32c_portable(whole));
    EXPECT_EQ(crc32c(whole.substr(n / 3), crc32c(whole.substr(0, n / 3))), crc32c(whole));
  }
}

TEST(Base64Url, RoundTripsAndRefusesGarbage) {
  for (size_t n = 0; n < 70; ++n) {
    std::string bytes = random_bytes(n);
    std::string back;
    ASSERT_TRUE(from_base64url(to_base64url(bytes), back));
    EXPECT_EQ(back, bytes);
  }
  std::string out;
  EXPECT_FALSE(from_base64url("a+b/", out));
  EXPECT_FALSE(from_base64url("abc!", out));
  EXPECT_FALSE(from_base64url("abcd=", out));
  EXPECT_FALSE(from_base64url("AA==", out));
  EXPECT_FALSE(from_base64url("abcde", out));
  EXPECT_FALSE(from_base64url(std::string_view("ab\0d", 4), out));
  EXPECT_FALSE(from_base64url("\xff\xff\xff\xff", out));
  EXPECT_FALSE(from_base64url("AB", out));  // bits beyond the last byte
  EXPECT_FALSE(from_base64url("AAB", out));
  EXPECT_TRUE(from_base64url("AQ", out));
  EXPECT_EQ(out, "\x01");
}

TEST(Base64Url, KnownVectors) {
  // RFC 4648, section 10, without padding, and the two letters of its url-safe alphabet.
  for (auto [bytes, text] : std::vector<std::pair<std::string, std::string>>{{"", ""},
                                                                             {"f", "Zg"},
                                                                             {"fo", "Zm8"},
                                                                             {"foo", "Zm9v"},
                                                                             {"foob", "Zm9vYg"},
                                                                             {"fooba", "Zm9vYmE"},
                                                                             {"foobar", "Zm9vYmFy"},
                                                                             {"\xfb\xff", "-_8"}}) {
    EXPECT_EQ(to_base64url(bytes), text);
    std::string back;
    EXPECT_TRUE(from_base64url(text, back));
    EXPECT_EQ(back, bytes);
  }
}

TEST(Hex, RoundTripsAndRefusesGarbage) {
  std::string bytes = random_bytes(33);
  std::string back;
  ASSERT_TRUE(from_hex(to_hex(bytes), back));
  EXPECT_EQ(back, bytes);
  EXPECT_FALSE(from_hex("abc", back));
  EXPECT_FALSE(from_hex("zz", back));
}

TEST(Clock, FormatsAndSplitsDates) {
  EXPECT_EQ(format_rfc3339(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(format_rfc3339(-1), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(format_rfc3339(1713326652123), "2024-04-17T04:04:12.123Z");
  EXPECT_EQ(month_of(1713326652123), 202404);
  EXPECT_EQ(day_of(-1), -1);
  EXPECT_EQ(day_of(-kMillisPerDay), -1);
  EXPECT_EQ(days_from_civil({2000, 2, 29}), 11016);
}

TEST(JsonWriter, EveryByteAtEveryPlaceOfALongText) {
  for (int byte = 0; byte < 256; ++byte) {
    for (size_t place = 0; place < 20; ++place) {
      std::string text(20, 'x');
      text[place] = static_cast<char>(byte);
      std::string alone;
      append_json_string(alone, text.substr(place, 1));
      std::string out;
      append_json_string(out, text);
      std::string expected =
          "\"" + text.substr(0, place) + alone.substr(1, alone.size() - 2) + text.substr(place + 1) + "\"";
      ASSERT_EQ(out, expected) << byte << " at " << place;
    }
  }
}

TEST(JsonWriter, EscapesWhatJsonDemandsAndNothingElse) {
  std::string out;
  append_json_string(out, std::string_view("a\"\\\n\x01\0/\xc3\xa9", 9));
  EXPECT_EQ(out, "\"a\\\"\\\\\\n\\u0001\\u0000/\xc3\xa9\"");
}

TEST(BoundedQueue, FullRefusesAndClosedDrains) {
  BoundedQueue<int> queue(2);
  EXPECT_TRUE(queue.try_push(1));
  EXPECT_TRUE(queue.try_push(2));
  EXPECT_FALSE(queue.try_push(3));
  queue.close();
  EXPECT_FALSE(queue.try_push(4));
  EXPECT_EQ(queue.pop(), 1);
  EXPECT_EQ(queue.pop(), 2);
  EXPECT_EQ(queue.pop(), std::nullopt);
}

TEST(Metrics, WritesPrometheusText) {
  metrics::Registry registry;
  registry.counter("weir_a_total", "Events.", {{"project", "a\"b"}}).add(3);
  registry.histogram("weir_h_seconds", "Time.", {1, 2}).observe(1.5);
  std::string text = registry.text();
  EXPECT_NE(text.find("weir_a_total{project=\"a\\\"b\"} 3\n"), std::string::npos);
  EXPECT_NE(text.find("weir_h_seconds_bucket{le=\"1\"} 0\nweir_h_seconds_bucket{le=\"2\"} 1\n"
                      "weir_h_seconds_bucket{le=\"+Inf\"} 1\nweir_h_seconds_sum 1.5\nweir_h_seconds_count 1\n"),
            std::string::npos);
  EXPECT_NE(text.find("process_resident_memory_bytes"), std::string::npos);
}

class FilesTest : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directory(directory_); }
  void TearDown() override { std::filesystem::remove_all(directory_); }
  std::string directory_ = testing::TempDir() + "/weir_files_" + to_hex(random_bytes(6));
};

TEST_F(FilesTest, ReplaceFileLeavesOldOrNewAndNoTemporary) {
  ASSERT_TRUE(replace_file(real_files(), directory_ + "/a", "one"));
  ASSERT_TRUE(replace_file(real_files(), directory_ + "/a", "two"));
  EXPECT_EQ(*read_file(real_files(), directory_ + "/a"), "two");
  EXPECT_EQ(real_files().list(directory_)->size(), 1u);
}

TEST_F(FilesTest, SecondLockNamesTheHolder) {
  auto first = real_files().lock(directory_ + "/LOCK");
  ASSERT_TRUE(first);
  auto second = real_files().lock(directory_ + "/LOCK");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kConflict);
  EXPECT_NE(second.error().message.find(std::to_string(getpid())), std::string::npos);
}

TEST_F(FilesTest, GatheredWriteOfManyPiecesArrivesWhole) {
  auto file = real_files().open(directory_ + "/many", FileSystem::Mode::create);
  ASSERT_TRUE(file);
  std::string piece = "0123456789";
  std::vector<iovec> pieces(2000, iovec{piece.data(), piece.size()});
  ASSERT_TRUE((*file)->write_at(5, pieces));
  EXPECT_EQ(*(*file)->size(), 20005u);
}

TEST(Rfc3339, ReadsMomentsAndRefusesTheRest) {
  UnixMillis t = 0;
  ASSERT_TRUE(parse_rfc3339("2026-11-20T09:01:02.345Z", t));
  EXPECT_EQ(format_rfc3339(t), "2026-11-20T09:01:02.345Z");
  ASSERT_TRUE(parse_rfc3339("2026-11-20T09:01:02.3456789+02:30", t));
  EXPECT_EQ(format_rfc3339(t), "2026-11-20T06:31:02.345Z");
  ASSERT_TRUE(parse_rfc3339("1969-12-31T23:59:59-00:30", t));
  EXPECT_EQ(t, 1'799'000);
  for (std::string_view bad :
       {"", "2026-11-20", "2026-11-20T09:01:02", "2026-11-20 09:01:02Z", "2026-02-30T00:00:00Z", "2026-13-01T00:00:00Z",
        "2026-11-20T24:00:00Z", "2026-11-20T09:60:00Z", "2026-11-20T09:01:02.Z", "2026-11-20T09:01:02+2:00",
        "2026-11-20T09:01:02+24:00", "2026-11-20T09:01:02Zz", "+026-11-20T09:01:02Z"}) {
    EXPECT_FALSE(parse_rfc3339(bad, t)) << bad;
  }
}

TEST(Day, ReadsDatesAndRefusesTheRest) {
  int64_t days = 0;
  ASSERT_TRUE(parse_day("2024-02-29", days));
  EXPECT_EQ(format_day(days), "2024-02-29");
  for (std::string_view bad :
       {"", "2026-02-29", "2026-2-01", "2026-13-01", "2026-01-00", "2026/01/01", "2026-01-01T"}) {
    EXPECT_FALSE(parse_day(bad, days)) << bad;
  }
}

}  // namespace
}  // namespace weir
