#include "weir/journal/segmented/format.h"

#include <gtest/gtest.h>

namespace weir::journal::segmented {
namespace {

const std::string kUuid = "0123456789abcdef";

SegmentHeader sample_header() {
  SegmentHeader header;
  header.uuid = kUuid;
  header.partition = Partition::bulk;
  header.base = 1812;
  header.epoch = 3;
  header.previous_crc = 0xdeadbeef;
  header.created_at = 1'790'000'000'000;
  header.begin = 17;
  header.epochs = {{1, 0}, {2, 900}, {3, 1800}};
  return header;
}

FrameHeader sample_frame() {
  FrameHeader frame;
  frame.payload_bytes = 100;
  frame.base = 1812;
  frame.count = 5;
  frame.epoch = 3;
  frame.appended_at = 1'790'000'000'000;
  frame.durable_upto = 1812;
  frame.codec = Codec::zstd;
  frame.flags = kFrameNote;
  frame.inflated_bytes = 200;
  frame.previous_crc = 1;
  frame.payload_crc = 2;
  return frame;
}

TEST(SegmentHeader, RoundTripsAndNoticesEveryFlippedByte) {
  SegmentHeader header = sample_header();
  std::string block = encode(header);
  ASSERT_EQ(block.size(), kSegmentHeaderBytes);
  auto back = decode_segment_header(block);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->uuid, header.uuid);
  EXPECT_EQ(back->partition, header.partition);
  EXPECT_EQ(back->base, header.base);
  EXPECT_EQ(back->epoch, header.epoch);
  EXPECT_EQ(back->previous_crc, header.previous_crc);
  EXPECT_EQ(back->created_at, header.created_at);
  EXPECT_EQ(back->begin, header.begin);
  ASSERT_EQ(back->epochs.size(), 3u);
  EXPECT_EQ(back->epochs[2].first, 1800u);
  for (size_t i = 0; i < block.size(); ++i) {
    std::string damaged = block;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x10);
    auto refused = decode_segment_header(damaged);
    ASSERT_FALSE(refused) << "byte " << i;
    EXPECT_EQ(refused.error().code, ErrorCode::kCorrupt);
  }
  EXPECT_FALSE(decode_segment_header(std::string_view(block).substr(0, 4095)));
  EXPECT_FALSE(decode_segment_header(std::string(kSegmentHeaderBytes, '\0')));
}

TEST(SegmentHeader, KeepsTheNewestEpochsThatFit) {
  SegmentHeader header = sample_header();
  header.epochs.clear();
  for (uint32_t i = 1; i <= 1000; ++i) header.epochs.push_back({i, i * 10});
  auto back = decode_segment_header(encode(header));
  ASSERT_TRUE(back);
  ASSERT_EQ(back->epochs.size(), kEpochsInHeader);
  EXPECT_EQ(back->epochs.back().number, 1000u);
  EXPECT_EQ(back->epochs.front().number, 1000 - kEpochsInHeader + 1);
}

TEST(SegmentHeader, RefusesALaterFormatByItsName) {
  std::string block = encode(sample_header());
  store_le(block.data() + 8, kFormatVersion + 1);
  store_le(block.data() + kSegmentHeaderBytes - 4, crc32c({block.data(), kSegmentHeaderBytes - 4}));
  auto refused = decode_segment_header(block);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnsupported);
}

TEST(FrameHeader, RoundTripsAndNoticesEveryFlippedBit) {
  const uint32_t tag = tag_of(kUuid, Partition::live);
  FrameHeader frame = sample_frame();
  char bytes[kFrameHeaderBytes];
  encode(frame, tag, bytes);
  FrameHeader back;
  ASSERT_EQ(decode_frame_header(bytes, tag, back), FrameFault::none);
  EXPECT_EQ(back.payload_bytes, 100u);
  EXPECT_EQ(back.base, 1812u);
  EXPECT_EQ(back.next(), 1817u);
  EXPECT_EQ(back.size(), 64u + 104);
  EXPECT_EQ(back.epoch, 3u);
  EXPECT_EQ(back.appended_at, 1'790'000'000'000);
  EXPECT_EQ(back.durable_upto, 1812u);
  EXPECT_EQ(back.codec, Codec::zstd);
  EXPECT_EQ(back.flags, kFrameNote);
  EXPECT_EQ(back.inflated_bytes, 200u);
  EXPECT_EQ(back.previous_crc, 1u);
  EXPECT_EQ(back.payload_crc, 2u);
  EXPECT_EQ(back.crc, frame.crc);
  for (size_t bit = 0; bit < kFrameHeaderBytes * 8; ++bit) {
    char damaged[kFrameHeaderBytes];
    std::copy(bytes, bytes + kFrameHeaderBytes, damaged);
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    ASSERT_NE(decode_frame_header(damaged, tag, back), FrameFault::none) << "bit " << bit;
  }
}

TEST(FrameHeader, IsNotTakenFromAnotherJournalOrPartition) {
  FrameHeader frame = sample_frame();
  char bytes[kFrameHeaderBytes];
  encode(frame, tag_of(kUuid, Partition::live), bytes);
  FrameHeader back;
  EXPECT_EQ(decode_frame_header(bytes, tag_of(kUuid, Partition::bulk), back), FrameFault::foreign);
  EXPECT_EQ(decode_frame_header(bytes, tag_of("another uuid 16b", Partition::live), back), FrameFault::foreign);
}

TEST(FrameHeader, LimitsLengthsAndCountsEvenWithARightChecksum) {
  const uint32_t tag = tag_of(kUuid, Partition::live);
  char bytes[kFrameHeaderBytes];
  FrameHeader back;
  auto decoded = [&](auto change) {
    FrameHeader frame = sample_frame();
    change(frame);
    encode(frame, tag, bytes);
    return decode_frame_header(bytes, tag, back);
  };
  EXPECT_EQ(decoded([](FrameHeader& f) { f.payload_bytes = kPayloadBytesMax + 1; }), FrameFault::length);
  EXPECT_EQ(decoded([](FrameHeader& f) { f.payload_bytes = UINT32_MAX; }), FrameFault::length);
  EXPECT_EQ(decoded([](FrameHeader& f) { f.inflated_bytes = UINT32_MAX; }), FrameFault::length);
  EXPECT_EQ(decoded([](FrameHeader& f) { f.count = 51; }), FrameFault::length);
  EXPECT_EQ(decoded([](FrameHeader& f) { f.base = UINT64_MAX; }), FrameFault::length);
  EXPECT_EQ(decoded([](FrameHeader& f) { f.schema = 2; }), FrameFault::version);
  EXPECT_EQ(decoded([](FrameHeader& f) { f.codec = static_cast<Codec>(9); }), FrameFault::version);
  EXPECT_EQ(decoded([](FrameHeader& f) { f.payload_bytes = 0; }), FrameFault::none);
}

TEST(Footer, RoundTripsAndNoticesEveryFlippedByte) {
  const uint32_t tag = tag_of(kUuid, Partition::live);
  Footer footer{12, 1900, 8192, 1, 2, 3, 4, "fedcba9876543210"};
  std::string bytes = encode(footer, tag);
  auto back = decode_footer(bytes.data(), tag);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->frames, 12u);
  EXPECT_EQ(back->end, 1900u);
  EXPECT_EQ(back->position, 8192u);
  EXPECT_EQ(back->first_at, 1);
  EXPECT_EQ(back->last_at, 2);
  EXPECT_EQ(back->newest_at, 3);
  EXPECT_EQ(back->last_crc, 4u);
  EXPECT_EQ(back->hash, footer.hash);
  EXPECT_FALSE(decode_footer(bytes.data(), tag + 1));
  for (size_t i = 0; i < bytes.size(); ++i) {
    std::string damaged = bytes;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    ASSERT_FALSE(decode_footer(damaged.data(), tag)) << "byte " << i;
  }
}

TEST(SplitRecords, TakesExactPayloadsOnly) {
  Records records;
  records.add("one");
  records.add("");
  records.add("three");
  std::vector<Record> split;
  ASSERT_TRUE(split_records(records.bytes(), 10, 3, split));
  ASSERT_EQ(split.size(), 3u);
  EXPECT_EQ(split[0].bytes, "one");
  EXPECT_EQ(split[1].bytes, "");
  EXPECT_EQ(split[2].bytes, "three");
  EXPECT_EQ(split[2].offset, 12u);
  EXPECT_FALSE(split_records(records.bytes(), 10, 2, split));
  EXPECT_FALSE(split_records(records.bytes(), 10, 4, split));
  std::string longer = records.bytes();
  store_le(longer.data(), uint32_t{0xffffffff});
  EXPECT_FALSE(split_records(longer, 10, 3, split));
  EXPECT_EQ(split.size(), 3u);  // nothing added by the refused ones
}

TEST(SegmentName, SortsByOffsetAndRefusesOthers) {
  EXPECT_EQ(segment_name(1812), "00000000000000001812.seg");
  EXPECT_EQ(parse_segment_name("00000000000000001812.seg"), 1812u);
  EXPECT_EQ(parse_segment_name(segment_name(UINT64_MAX)), UINT64_MAX);
  for (const char* other : {"", "next", "1812.seg", "00000000000000001812.idx", "0000000000000000181x.seg",
                            "99999999999999999999.seg", "-0000000000000001812.seg"})
    EXPECT_FALSE(parse_segment_name(other)) << other;
}

}  // namespace
}  // namespace weir::journal::segmented
