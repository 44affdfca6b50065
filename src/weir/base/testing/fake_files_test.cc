#include "weir/base/testing/fake_files.h"

#include <gtest/gtest.h>

namespace weir::testing {
namespace {

using Cut = FakeFiles::Cut;
using Call = FakeFiles::Call;
using Mode = FileSystem::Mode;

std::unique_ptr<File> made(FakeFiles& files, const std::string& path) {
  auto file = files.open(path, Mode::create);
  EXPECT_TRUE(file);
  return *std::move(file);
}

TEST(FakeFiles, KeepsWhatWasSyncedThroughAPowerCut) {
  FakeFiles files;
  ASSERT_TRUE(files.make_directory("d"));
  auto file = made(files, "d/a");
  ASSERT_TRUE(file->write_at(0, "synced"));
  ASSERT_TRUE(file->sync());
  ASSERT_TRUE(files.sync_directory("d"));
  ASSERT_TRUE(file->write_at(6, " not synced"));
  EXPECT_EQ(*files.content("d/a"), "synced not synced");
  files.power_cut(Cut::nothing, 1);
  EXPECT_EQ(*files.content("d/a"), "synced");
  EXPECT_FALSE(file->write_at(0, "x"));  // of a process that is gone
}

TEST(FakeFiles, LosesANameThatWasNotSynced) {
  FakeFiles files;
  ASSERT_TRUE(files.make_directory("d"));
  auto file = made(files, "d/a.new");
  ASSERT_TRUE(file->write_at(0, "x"));
  ASSERT_TRUE(file->sync());
  ASSERT_TRUE(files.sync_directory("d"));
  ASSERT_TRUE(files.rename("d/a.new", "d/a"));
  auto quick = files.clone();
  files.power_cut(Cut::nothing, 1);
  EXPECT_TRUE(files.exists("d/a.new"));
  EXPECT_FALSE(files.exists("d/a"));
  quick->power_cut(Cut::all, 1);
  EXPECT_FALSE(quick->exists("d/a.new"));
  EXPECT_EQ(*quick->content("d/a"), "x");
}

TEST(FakeFiles, TearsAndReordersAtSectors) {
  bool torn = false;
  bool reordered = false;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    FakeFiles files;
    auto file = made(files, "a");
    ASSERT_TRUE(file->write_at(0, std::string(4096, 'a')));
    ASSERT_TRUE(file->sync());
    ASSERT_TRUE(files.sync_directory("."));
    ASSERT_TRUE(file->write_at(100, std::string(1500, 'b')));
    ASSERT_TRUE(file->write_at(2048, std::string(512, 'c')));
    files.power_cut(Cut::some, seed);
    std::string after = *files.content("a");
    ASSERT_EQ(after.size(), 4096u);
    size_t b = static_cast<size_t>(std::count(after.begin(), after.end(), 'b'));
    torn = torn || (b > 0 && b < 1500);
    reordered = reordered || (b < 1500 && after[2048] == 'c');
    for (size_t i = 512; i < 1536; ++i) ASSERT_EQ(after[i], after[i / 512 * 512]);
  }
  EXPECT_TRUE(torn);
  EXPECT_TRUE(reordered);
}

TEST(FakeFiles, ForgetsTheBytesOfAFailedSyncThoughTheNextSyncSucceeds) {
  FakeFiles files;
  auto file = made(files, "a");
  ASSERT_TRUE(files.sync_directory("."));
  ASSERT_TRUE(file->write_at(0, "lost"));
  files.fail(Call::sync_data, 1, ErrorCode::kUnavailable);
  EXPECT_FALSE(file->sync_data());
  EXPECT_TRUE(file->sync_data());
  EXPECT_EQ(*files.content("a"), "lost");
  auto rewritten = files.clone();
  files.power_cut(Cut::all, 1);
  EXPECT_EQ(*files.content("a"), "");
  auto again = rewritten->open("a", Mode::write);
  ASSERT_TRUE((*again)->write_at(0, "lost"));
  ASSERT_TRUE((*again)->sync());
  rewritten->power_cut(Cut::nothing, 1);
  EXPECT_EQ(*rewritten->content("a"), "lost");
}

TEST(FakeFiles, FailsTheNthCallAndWritesHalf) {
  FakeFiles files;
  auto file = made(files, "a");
  files.fail(Call::write, 2, ErrorCode::kUnavailable);
  EXPECT_TRUE(file->write_at(0, "1234"));
  EXPECT_FALSE(file->write_at(4, "5678"));
  EXPECT_EQ(*files.content("a"), "123456");
  EXPECT_TRUE(file->write_at(4, "5678"));
  files.fail(Call::write, 1, ErrorCode::kUnavailable, "b");
  EXPECT_TRUE(file->write_at(8, "9"));
  EXPECT_FALSE(made(files, "b")->write_at(0, "1"));
}

TEST(FakeFiles, RunsOutOfSpaceAndHasSomeAgain) {
  FakeFiles files;
  files.set_capacity(10);
  auto file = made(files, "a");
  ASSERT_TRUE(file->write_at(0, "12345678"));
  EXPECT_EQ(*files.free_bytes("."), 2u);
  auto refused = file->write_at(8, "abcd");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kOverloaded);
  EXPECT_EQ(*files.content("a"), "12345678ab");
  EXPECT_TRUE(file->write_at(0, "within"));
  ASSERT_TRUE(file->truncate(8));
  EXPECT_EQ(*files.free_bytes("."), 2u);
  files.set_capacity(12);
  EXPECT_TRUE(file->write_at(8, "abcd"));
}

TEST(FakeFiles, DiesAtTheNthChangeWithNoFurtherEffect) {
  FakeFiles files;
  auto file = made(files, "a");
  files.die_at(2);
  EXPECT_TRUE(file->write_at(0, "1"));
  EXPECT_FALSE(file->write_at(1, "2"));
  EXPECT_FALSE(file->sync());
  char byte = 0;
  EXPECT_FALSE(file->read_at(0, &byte, 1));
  EXPECT_TRUE(files.died());
  files.kill();
  EXPECT_EQ(*files.content("a"), "1");
}

TEST(FakeFiles, LocksOnceUntilTheProcessEnds) {
  FakeFiles files;
  auto lock = files.lock("LOCK");
  ASSERT_TRUE(lock);
  EXPECT_EQ(files.lock("LOCK").error().code, ErrorCode::kConflict);
  files.kill();
  auto second = files.lock("LOCK");
  EXPECT_TRUE(second);
  *lock = nullptr;
  EXPECT_FALSE(files.lock("LOCK"));
}

TEST(FakeFiles, ListsAndReplacesLikeRealFiles) {
  FakeFiles files;
  ASSERT_TRUE(files.make_directory("d"));
  ASSERT_TRUE(files.make_directory("d/sub"));
  ASSERT_TRUE(replace_file(files, "d/b", "one"));
  ASSERT_TRUE(replace_file(files, "d/b", "two"));
  EXPECT_EQ(*files.list("d"), (std::vector<std::string>{"b", "sub"}));
  EXPECT_EQ(files.list("nowhere").error().code, ErrorCode::kNotFound);
  files.power_cut(Cut::nothing, 1);
  EXPECT_EQ(*read_file(files, "d/b"), "two");
}

}  // namespace
}  // namespace weir::testing
