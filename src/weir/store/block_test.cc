#include <gtest/gtest.h>

#include <map>

#include "weir/store/dictionary.h"
#include "weir/store/store.h"
#include "weir/store/testing/native_reader.h"

namespace weir::store {
namespace {

using testing::rows_of;
using testing::StoredRow;

event::Row row_at(uint64_t o) {
  event::Row row;
  row.project_id = ProjectId{7};
  row.name = "click";
  row.time = 1'700'000'000'000;
  row.received_at = 1'700'000'000'500;
  row.p = 3;
  row.o = o;
  return row;
}

TEST(Dictionary, GivesEachTextOneIndex) {
  Dictionary dictionary;
  std::map<std::string, uint32_t> expected;
  for (int round = 0; round < 2; ++round) {
    for (uint32_t i = 0; i < 5000; ++i) {
      std::string text = std::string(i % 300, 'x') + std::to_string(i % 3000);
      auto [at, added] = expected.try_emplace(text, dictionary.size());
      ASSERT_EQ(dictionary.index_of(text), at->second);
    }
  }
  EXPECT_EQ(dictionary.size(), expected.size());
}

TEST(Dictionary, ForgetsEverythingOnClear) {
  Dictionary dictionary;
  for (int i = 0; i < 10'000; ++i) dictionary.index_of(std::to_string(i));
  dictionary.clear();
  EXPECT_EQ(dictionary.size(), 0u);
  EXPECT_EQ(dictionary.encoded(), "");
  EXPECT_EQ(dictionary.index_of("9999"), 0u);
  EXPECT_EQ(dictionary.index_of(""), 1u);
}

TEST(Block, KeepsEveryFieldOfARow) {
  event::Row row = row_at(11);
  row.id = "client-1";
  row.time_rule = event::TimeRule::clamped;
  row.kind = event::Kind::pageview;
  row.user_id = "9223372036854775807";
  row.visitor_id = ~uint64_t{0};
  row.visit.session_id = 1;
  row.path = "/a";
  row.visit.entry_path = "/entry";
  row.visit.previous_path = "/previous";
  row.ip = "2001:db8::1";
  row.traffic = event::Traffic::ai_crawler;
  row.has_revenue = true;
  row.revenue_micros = -12'500'000;
  row.revenue_currency = "EUR";
  row.visit.seq = 65535;
  row.visit.gap_ms = 4'000'000'000;
  Block block;
  block.add(row);
  auto rows = rows_of(block);
  ASSERT_TRUE(rows) << rows.error().message;
  ASSERT_EQ(rows->size(), 1u);
  const StoredRow& stored = rows->front();
  EXPECT_EQ(stored.project_id, 7u);
  EXPECT_EQ(stored.timestamp, 1'700'000'000'000);
  EXPECT_EQ(stored.received_at, 1'700'000'000'500);
  EXPECT_EQ(stored.visitor_id, ~uint64_t{0});
  EXPECT_EQ(stored.session_id, 1u);
  EXPECT_EQ(stored.visit_seq, 65535);
  EXPECT_EQ(stored.visit_gap_ms, 4'000'000'000u);
  EXPECT_EQ(stored.p, 3u);
  EXPECT_EQ(stored.o, 11u);
  EXPECT_TRUE(stored.has_revenue);
  EXPECT_EQ(stored.revenue_micros, -12'500'000);
  EXPECT_EQ(stored.text("revenue_currency"), "EUR");
  EXPECT_EQ(stored.text("client_id"), "client-1");
  EXPECT_EQ(stored.text("time_rule"), "clamped");
  EXPECT_EQ(stored.text("kind"), "pageview");
  EXPECT_EQ(stored.text("traffic"), "ai_crawler");
  EXPECT_EQ(stored.text("user_id"), "9223372036854775807");
  EXPECT_EQ(stored.text("entry_path"), "/entry");
  EXPECT_EQ(stored.text("previous_path"), "/previous");
  EXPECT_EQ(stored.text("ip"), "2001:db8::1");
  EXPECT_EQ(stored.text("country"), "");
}

TEST(Block, KeepsTheClientsIdToTheLetter) {
  const std::string ids[] = {"",
                             "6f1d2c3b-4a59-4687-98a7-b6c5d4e3f201",
                             "ffffffff-ffff-ffff-ffff-ffffffffffff",
                             "00000000-0000-0000-0000-000000000001",
                             "00000000-0000-0000-0000-000000000000",
                             "6F1D2C3B-4A59-4687-98A7-B6C5D4E3F201",
                             "6f1d2c3b-4a59-4687-98a7-b6c5d4e3f20g",
                             "6f1d2c3b04a59-4687-98a7-b6c5d4e3f201",
                             "6f1d2c3b-4a59-4687-98a7-b6c5d4e3f20",
                             "6f1d2c3b-4a59-4687-98a7-b6c5d4e3f2011",
                             "6f1d2c3b4a59468798a7b6c5d4e3f201"};
  Block block;
  for (size_t i = 0; i < std::size(ids); ++i) {
    event::Row row = row_at(i);
    row.id = ids[i];
    block.add(row);
  }
  auto rows = rows_of(block);
  ASSERT_TRUE(rows) << rows.error().message;
  for (size_t i = 0; i < std::size(ids); ++i) EXPECT_EQ((*rows)[i].text("client_id"), ids[i]);
}

TEST(Block, KeepsNumericPropertiesApart) {
  event::Row row = row_at(0);
  row.properties = {{"a", "x"}, {"n", "1.50"}, {"b", "true"}, {"m", "12"}};
  row.numbers = {{"n", 1.5}, {"m", 12}};
  Block block;
  block.add(row);
  row.numbers = {{"m", 12}, {"n", 1.5}};  // not in the properties' order
  block.add(row);
  row.numbers = {{"elsewhere", 0.25}};
  block.add(row);
  row.properties.clear();
  row.numbers.clear();
  block.add(row);
  auto rows = rows_of(block);
  ASSERT_TRUE(rows) << rows.error().message;
  using List = std::vector<std::pair<std::string, std::string>>;
  for (size_t i : {0, 1}) {
    EXPECT_EQ((*rows)[i].properties, (List{{"a", "x"}, {"b", "true"}, {"n", "1.50"}, {"m", "12"}}));
    EXPECT_EQ((*rows)[i].numbers, (List{{"n", "1.50"}, {"m", "12"}}));
  }
  EXPECT_EQ((*rows)[2].numbers, (List{{"elsewhere", "0.25"}}));
  EXPECT_EQ((*rows)[2].properties.size(), 5u);
  EXPECT_TRUE((*rows)[3].properties.empty());
}

TEST(Block, WidensIndexesAsTheDictionaryGrows) {
  for (size_t distinct : {1, 256, 257, 65536, 65537}) {
    Block block;
    for (size_t i = 0; i < distinct; ++i) {
      std::string path = "/" + std::to_string(i);
      event::Row row = row_at(i);
      row.path = path;
      block.add(row);
    }
    auto rows = rows_of(block);
    ASSERT_TRUE(rows) << distinct << ": " << rows.error().message;
    EXPECT_EQ(rows->front().text("path"), "/0");
    EXPECT_EQ(rows->back().text("path"), "/" + std::to_string(distinct - 1));
  }
}

TEST(Block, IsEmptyAfterClear) {
  Block block;
  event::Row row = row_at(1);
  row.properties = {{"a", "b"}};
  block.add(row);
  std::string first;
  block.append_native(first);
  EXPECT_GT(block.bytes(), 0u);
  block.clear();
  EXPECT_EQ(block.rows(), 0u);
  auto rows = rows_of(block);
  ASSERT_TRUE(rows) << rows.error().message;
  EXPECT_TRUE(rows->empty());
  block.add(row);
  std::string second;
  block.append_native(second);
  EXPECT_EQ(first, second);
}

TEST(Block, KnowsItsSize) {
  Block block;
  for (uint64_t i = 0; i < 1000; ++i) {
    std::string path = "/" + std::to_string(i % 300);
    event::Row row = row_at(i);
    row.path = path;
    row.properties = {{"k", path}, {"n", "12"}};
    row.numbers = {{"n", 12}};
    block.add(row);
  }
  std::string bytes;
  block.append_native(bytes);
  EXPECT_NEAR(static_cast<double>(block.bytes()), static_cast<double>(bytes.size()), bytes.size() * 0.1);
}

TEST(Block, APartHoldsItsRowsAndNoOthers) {
  Block block;
  std::vector<std::string> texts;
  std::vector<std::string> uuids;
  for (uint64_t o = 0; o < 40; ++o) texts.push_back(std::string(o * 11, 'x') + std::to_string(o));
  for (uint64_t o = 0; o < 40; ++o) uuids.push_back("6f1d2c3b-4a59-4687-98a7-0000000000" + std::to_string(o + 10));
  for (uint64_t o = 0; o < 40; ++o) {
    event::Row row = row_at(o + 100);
    row.name = texts[o % 3];
    // Some of them longer than one byte of length can say, some UUIDs.
    row.id = o % 6 == 1 ? std::string_view(uuids[o]) : texts[o];
    row.time += static_cast<int64_t>(o);
    if (o % 4 == 0) {
      row.has_revenue = true;
      row.revenue_micros = static_cast<int64_t>(o);
    }
    for (uint64_t i = 0; i < o % 5; ++i) row.properties.emplace_back(texts[i], texts[o]);
    if (o % 5 == 3) row.numbers.emplace_back(texts[1], static_cast<double>(o));
    block.add(row);
  }
  auto whole = rows_of(block);
  ASSERT_TRUE(whole) << whole.error().message;
  for (auto [first, count] : {std::pair<size_t, size_t>(0, 40), {0, 1}, {39, 1}, {7, 20}, {20, 20}, {5, 0}}) {
    const Block part = block.slice(first, count);
    ASSERT_EQ(part.rows(), count);
    auto rows = rows_of(part);
    ASSERT_TRUE(rows) << rows.error().message;
    ASSERT_EQ(rows->size(), count);
    for (size_t i = 0; i < count; ++i) {
      const StoredRow& expected = (*whole)[first + i];
      const StoredRow& row = (*rows)[i];
      EXPECT_EQ(part.offset_of(i), expected.o);
      EXPECT_EQ(row.o, expected.o);
      EXPECT_EQ(row.timestamp, expected.timestamp);
      EXPECT_EQ(row.texts, expected.texts);
      EXPECT_EQ(row.properties, expected.properties);
      EXPECT_EQ(row.numbers, expected.numbers);
      EXPECT_EQ(row.has_revenue, expected.has_revenue);
      EXPECT_EQ(row.revenue_micros, expected.revenue_micros);
    }
  }
}

}  // namespace
}  // namespace weir::store
