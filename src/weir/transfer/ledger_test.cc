#include "weir/transfer/ledger.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <random>
#include <unordered_set>

namespace weir::transfer {
namespace {

class LedgerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "weir-ledger-XXXXXX").string();
    root_ = ::mkdtemp(name.data());
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  std::unique_ptr<Ledger> open() {
    auto ledger = Ledger::open(real_files(), root_ + "/1");
    EXPECT_TRUE(ledger) << ledger.error().message;
    return *std::move(ledger);
  }
  static bool claim(Ledger& ledger, LineIdentity line) {
    auto fresh = ledger.claim(line);
    EXPECT_TRUE(fresh) << fresh.error().message;
    return *fresh;
  }
  static void write(Ledger& ledger, std::vector<LineIdentity> lines) {
    for (const LineIdentity& line : lines) EXPECT_TRUE(claim(ledger, line));
    auto written = ledger.write(lines);
    EXPECT_TRUE(written) << written.error().message;
  }

  std::string root_;
};

constexpr int64_t kHour = 16'572 * 24;  // 2015-05-17T00

TEST_F(LedgerTest, RemembersAcrossOpens) {
  {
    auto ledger = open();
    EXPECT_TRUE(ledger->is_new());
    write(*ledger, {{kHour, 1}, {kHour + 23, 2}, {kHour + 24, 3}, {kHour, 0}});
    EXPECT_FALSE(claim(*ledger, {kHour, 1}));
  }
  EXPECT_TRUE(std::filesystem::exists(root_ + "/1/2015-05-17.lines"));
  EXPECT_TRUE(std::filesystem::exists(root_ + "/1/2015-05-18.lines"));
  auto ledger = open();
  EXPECT_FALSE(ledger->is_new());
  EXPECT_FALSE(claim(*ledger, {kHour, 1}));
  EXPECT_FALSE(claim(*ledger, {kHour, 0}));
  EXPECT_FALSE(claim(*ledger, {kHour + 23, 2}));
  EXPECT_FALSE(claim(*ledger, {kHour + 24, 3}));
  EXPECT_TRUE(claim(*ledger, {kHour + 1, 1}));
}

TEST_F(LedgerTest, ClaimedButUnwrittenIsForgottenByTheNext) {
  { EXPECT_TRUE(claim(*open(), {kHour, 7})); }
  EXPECT_TRUE(claim(*open(), {kHour, 7}));
}

TEST_F(LedgerTest, UnclaimingLeavesTheOthers) {
  auto ledger = open();
  std::vector<LineIdentity> lines;
  for (uint64_t h = 0; h < 1000; ++h) lines.push_back({kHour, h * 16});  // long runs of neighbours in the table
  for (const LineIdentity& line : lines) EXPECT_TRUE(claim(*ledger, line));
  for (size_t i = 0; i < lines.size(); i += 2) ledger->unclaim({&lines[i], 1});
  for (size_t i = 1; i < lines.size(); i += 2) EXPECT_FALSE(claim(*ledger, lines[i])) << i;
  for (size_t i = 0; i < lines.size(); i += 2) EXPECT_TRUE(claim(*ledger, lines[i])) << i;
}

TEST_F(LedgerTest, ASetLosesNothingToErasing) {
  std::mt19937_64 random(7);
  LineSet set;
  std::unordered_set<uint64_t> wanted;
  for (int i = 0; i < 200'000; ++i) {
    uint64_t hash = random() % 4096;
    if (random() % 3 == 0) {
      set.erase(hash);
      wanted.erase(hash);
    } else {
      EXPECT_EQ(set.insert(hash), wanted.insert(hash).second);
    }
  }
  EXPECT_EQ(set.size(), wanted.size());
  for (uint64_t hash = 0; hash < 4096; ++hash) EXPECT_EQ(set.contains(hash), wanted.count(hash) == 1) << hash;
}

TEST_F(LedgerTest, StaysBelowItsMemory) {
  auto ledger = open();
  std::vector<LineIdentity> lines;
  std::mt19937_64 random(1);
  for (int hour = 0; hour < 400; ++hour)
    for (int i = 0; i < 10; ++i) lines.push_back({kHour + hour, random()});
  write(*ledger, lines);
  ledger->forget(20'000);
  EXPECT_LE(ledger->memory_bytes(), 20'000u);
  for (const LineIdentity& line : lines) {
    EXPECT_FALSE(claim(*ledger, line));
    ledger->forget(20'000);
    EXPECT_LE(ledger->memory_bytes(), 20'000u);
  }
}

TEST_F(LedgerTest, CutsATornTailAndKeepsWhatIsBefore) {
  {
    auto ledger = open();
    write(*ledger, {{kHour, 1}});
    write(*ledger, {{kHour, 2}, {kHour + 1, 3}});
    ASSERT_TRUE(ledger->sync());
  }
  std::string path = root_ + "/1/2015-05-17.lines";
  auto whole = std::filesystem::file_size(path);
  for (uintmax_t size = 24; size < whole; size += 5) {
    SCOPED_TRACE(size);
    std::filesystem::remove_all(root_ + "/2");
    std::filesystem::copy(root_ + "/1", root_ + "/2");
    std::filesystem::resize_file(root_ + "/2/2015-05-17.lines", size);
    auto ledger = *Ledger::open(real_files(), root_ + "/2");
    EXPECT_FALSE(claim(*ledger, {kHour, 1}));
    EXPECT_EQ(claim(*ledger, {kHour, 2}), size < 48);
    EXPECT_TRUE(claim(*ledger, {kHour + 1, 3}));
    EXPECT_EQ(ledger->cut_bytes(), size < 48 ? size - 24 : size - 48);
    ASSERT_TRUE(ledger->write(std::vector<LineIdentity>{{kHour + 1, 3}}));
    auto again = *Ledger::open(real_files(), root_ + "/2");
    EXPECT_FALSE(claim(*again, {kHour + 1, 3}));
    EXPECT_EQ(again->cut_bytes(), 0u);
  }
}

TEST_F(LedgerTest, EveryFlippedByteIsSeen) {
  {
    auto ledger = open();
    write(*ledger, {{kHour, 1}});
    write(*ledger, {{kHour, 2}});
  }
  std::string path = root_ + "/1/2015-05-17.lines";
  std::string bytes = *read_file(real_files(), path);
  ASSERT_EQ(bytes.size(), 48u);
  for (size_t i = 24; i < bytes.size(); ++i) {
    std::string damaged = bytes;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x10);
    ASSERT_TRUE(replace_file(real_files(), path, damaged));
    auto ledger = open();
    EXPECT_FALSE(claim(*ledger, {kHour, 1}));
    EXPECT_TRUE(claim(*ledger, {kHour, 2})) << i;
    EXPECT_EQ(ledger->cut_bytes(), 24u);
  }
}

TEST_F(LedgerTest, RefusesToGoOnWithoutItsSalt) {
  { write(*open(), {{kHour, 1}}); }
  std::string salt = *read_file(real_files(), root_ + "/1/salt");
  std::string damaged = salt;
  damaged[3] = static_cast<char>(damaged[3] ^ 1);
  ASSERT_TRUE(replace_file(real_files(), root_ + "/1/salt", damaged));
  auto opened = Ledger::open(real_files(), root_ + "/1");
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kCorrupt);
  ASSERT_TRUE(real_files().remove(root_ + "/1/salt"));
  opened = Ledger::open(real_files(), root_ + "/1");
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kCorrupt);
  EXPECT_NE(opened.error().message.find("/1/salt"), std::string::npos);
  ASSERT_TRUE(replace_file(real_files(), root_ + "/1/salt", salt));
  EXPECT_FALSE(claim(*open(), {kHour, 1}));
}

TEST_F(LedgerTest, ManyDaysInOneWriteAndFewOpenFiles) {
  auto ledger = open();
  std::vector<LineIdentity> lines;
  for (int day = 0; day < 200; ++day) lines.push_back({kHour + day * 24, 5});
  write(*ledger, lines);
  size_t open_files = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd"))
    open_files += entry.path().empty() ? 0 : 1;
  EXPECT_LT(open_files, 100u);
  auto again = open();
  for (const LineIdentity& line : lines) EXPECT_FALSE(claim(*again, line));
}

TEST(LineIdentityTest, IdThereAndBack) {
  LineIdentity line{hour_of(1'431'857'103'000), 0x9f86d081884c7d65u};
  EXPECT_EQ(line.id(), "40bc9f86d081884c7d65");
  LineIdentity read;
  ASSERT_TRUE(LineIdentity::parse(line.id(), 1'431'857'103'000, read));
  EXPECT_EQ(read.hour, line.hour);
  EXPECT_EQ(read.hash, line.hash);
  EXPECT_FALSE(LineIdentity::parse(line.id(), 1'431'857'103'000 + kMillisPerDay, read));
  for (std::string_view id : {"", "40bc", "40bc9f86d081884c7d6", "40bc9f86d081884c7d6x", "zzzz9f86d081884c7d65",
                              "0000000000000000000000000040bc9f86d081884c7d65"})
    EXPECT_FALSE(LineIdentity::parse(id, 1'431'857'103'000, read)) << id;
}

TEST(ImportSaltTest, KeysAndOrdinalsTellHashesApart) {
  ImportSalt a(std::string(32, 'a'));
  ImportSalt b(std::string(32, 'b'));
  EXPECT_NE(a.line("x"), b.line("x"));
  EXPECT_EQ(a.line("x"), ImportSalt(std::string(32, 'a')).line("x"));
  EXPECT_EQ(a.with_ordinal(a.line("x"), 0), a.line("x"));
  EXPECT_NE(a.with_ordinal(a.line("x"), 1), a.line("x"));
  EXPECT_NE(a.with_ordinal(a.line("x"), 1), a.with_ordinal(a.line("x"), 2));
  EXPECT_EQ(a.visitor(1, "192.0.2.1", "M"), a.visitor(1, "192.0.2.1", "M"));
  EXPECT_NE(a.visitor(1, "192.0.2.1", "M"), a.visitor(2, "192.0.2.1", "M"));
  EXPECT_NE(a.visitor(1, "192.0.2.1", "M"), a.visitor(1, "192.0.2.", "1M"));
  EXPECT_NE(a.visitor(1, "192.0.2.1", "M"), b.visitor(1, "192.0.2.1", "M"));
}

}  // namespace
}  // namespace weir::transfer
