#include "weir/journal/segmented/manifest.h"

#include <gtest/gtest.h>

#include "weir/base/testing/fake_files.h"

namespace weir::journal::segmented {
namespace {

using weir::testing::FakeFiles;

PartitionManifest sample() {
  PartitionManifest manifest;
  manifest.uuid = "0123456789abcdef";
  manifest.partition = Partition::bulk;
  manifest.generation = 7;
  manifest.begin = 100;
  manifest.newest = 5000;
  manifest.epochs = {{1, 0}, {2, 4000}};
  manifest.damaged = {{200, 300, "payload checksum"}, {400, 401, "two\nlines"}};
  return manifest;
}

TEST(Manifest, RoundTrips) {
  auto back = decode_partition_manifest(encode(sample()));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->uuid, sample().uuid);
  EXPECT_EQ(back->partition, Partition::bulk);
  EXPECT_EQ(back->generation, 7u);
  EXPECT_EQ(back->begin, 100u);
  EXPECT_EQ(back->newest, 5000u);
  ASSERT_EQ(back->epochs.size(), 2u);
  EXPECT_EQ(back->epochs[1].first, 4000u);
  ASSERT_EQ(back->damaged.size(), 2u);
  EXPECT_EQ(back->damaged[0].next, 300u);
  EXPECT_EQ(back->damaged[0].reason, "payload checksum");
  EXPECT_EQ(back->damaged[1].reason, "two lines");

  JournalManifest journal{"0123456789abcdef", {Partition::live, Partition::bulk}};
  auto same = decode_journal_manifest(encode(journal));
  ASSERT_TRUE(same);
  EXPECT_EQ(same->uuid, journal.uuid);
  EXPECT_EQ(same->partitions, journal.partitions);
}

TEST(Manifest, RefusesEveryFlipAndEveryCut) {
  const std::string text = encode(sample());
  for (size_t i = 0; i < text.size(); ++i) {
    std::string damaged = text;
    damaged[i] = static_cast<char>(damaged[i] ^ 2);
    auto refused = decode_partition_manifest(damaged);
    ASSERT_FALSE(refused) << "byte " << i;
    EXPECT_EQ(refused.error().code, ErrorCode::kCorrupt) << "byte " << i;
    ASSERT_FALSE(decode_partition_manifest(std::string_view(text).substr(0, i))) << "cut at " << i;
  }
  EXPECT_FALSE(decode_partition_manifest(text + "x"));
}

TEST(Manifest, KeepsThePreviousOneAndFallsBackToIt) {
  FakeFiles files;
  ASSERT_TRUE(files.make_directory("d"));
  PartitionManifest manifest = sample();
  ASSERT_TRUE(replace_manifest(files, "d", encode(manifest)));
  manifest.generation = 8;
  ASSERT_TRUE(replace_manifest(files, "d", encode(manifest)));
  auto loaded = load_partition_manifest(files, "d");
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->manifest->generation, 8u);
  EXPECT_FALSE(loaded->previous);

  for (auto damage : {+[](FakeFiles& f) { f.erase("d/MANIFEST"); }, +[](FakeFiles& f) { f.put("d/MANIFEST", ""); },
                      +[](FakeFiles& f) { f.put("d/MANIFEST", f.content("d/MANIFEST")->substr(0, 40)); },
                      +[](FakeFiles& f) { f.flip("d/MANIFEST", 30); }}) {
    auto broken = files.clone();
    damage(*broken);
    auto older = load_partition_manifest(*broken, "d");
    ASSERT_TRUE(older);
    ASSERT_TRUE(older->manifest);
    EXPECT_TRUE(older->previous);
    EXPECT_EQ(older->manifest->generation, 7u);
    EXPECT_FALSE(older->problem.empty());
    // A damaged one does not push out the good previous one.
    manifest.generation = 9;
    ASSERT_TRUE(replace_manifest(*broken, "d", encode(manifest)));
    broken->erase("d/MANIFEST");
    EXPECT_TRUE(load_partition_manifest(*broken, "d")->manifest);
  }
  files.put("d/MANIFEST", "");
  files.put("d/MANIFEST.previous", "x");
  auto neither = load_partition_manifest(files, "d");
  ASSERT_TRUE(neither);
  EXPECT_FALSE(neither->manifest);
  EXPECT_TRUE(neither->seen);
}

TEST(Manifest, NamesALaterFormat) {
  std::string text = encode(sample());
  text = text.substr(0, text.find("checksum "));
  text.replace(0, text.find('\n'), "weir journal partition 2");
  char sum[32];
  std::snprintf(sum, sizeof sum, "checksum %08x\n", crc32c(text));
  auto refused = decode_partition_manifest(text + sum);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnsupported);
}

TEST(Damage, MergesWhatTouches) {
  std::vector<Damage> damaged;
  EXPECT_TRUE(add_damage(damaged, {10, 20, "a"}));
  EXPECT_TRUE(add_damage(damaged, {30, 40, "b"}));
  EXPECT_FALSE(add_damage(damaged, {12, 20, "c"}));
  EXPECT_FALSE(add_damage(damaged, {5, 5, "empty"}));
  EXPECT_TRUE(add_damage(damaged, {20, 25, "d"}));
  ASSERT_EQ(damaged.size(), 2u);
  EXPECT_EQ(damaged[0].next, 25u);
  EXPECT_TRUE(add_damage(damaged, {0, 100, "all"}));
  ASSERT_EQ(damaged.size(), 1u);
  EXPECT_EQ(damaged[0].first, 0u);
  EXPECT_EQ(damaged[0].next, 100u);
}

}  // namespace
}  // namespace weir::journal::segmented
