#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "weir/base/testing/fake_files.h"
#include "weir/event/record.h"
#include "weir/journal/open.h"
#include "weir/transfer/importer.h"

// The importer over the real journal, on a file system that dies at any of its calls and forgets what was not synced.
namespace weir::transfer {
namespace {

using weir::testing::FakeFiles;

constexpr int kLines = 900;
constexpr size_t kChunks = 9;

std::string log_chunk(size_t number) {
  std::string text;
  for (int i = 0; i < kLines / static_cast<int>(kChunks); ++i) {
    int s = static_cast<int>(number) * 400 + i / 2;  // two equal lines a second, several hours
    text += fmt::format("192.0.2.{} - - [17/May/2015:{:02}:{:02}:{:02} +0000] \"GET /{} HTTP/1.1\" 200 3 \"-\" \"M\"\n",
                        s % 5, 10 + s / 3600 * 3 + number % 2, s / 60 % 60, s % 60, s % 3);
  }
  return text;
}

// One life of the process: everything opened anew.
class Life {
 public:
  explicit Life(FakeFiles& files) : files_(files) {}
  ~Life() {
    importer_.reset();
    if (journal_) (void)journal_->close();
  }
  Result<> open() {
    if (auto made = files_.make_directory("/data"); !made) return made;
    journal::Options options;
    options.segment_bytes = 1 * MiB;
    auto journal = journal::open(files_, clock_, registry_, "/data/journal", options);
    if (!journal) return std::move(journal).error();
    journal_ = *std::move(journal);
    auto secrets = settings::open_file_secrets(files_, {"/data/secrets", 7});
    if (!secrets) return std::move(secrets).error();
    secrets_ = *std::move(secrets);
    ImporterOptions importer;
    importer.directory = "/data/imports";
    importer.append_bytes = 16 * KiB;
    importer_ = std::make_unique<Importer>(files_, clock_, *journal_, *secrets_, registry_, importer);
    return importer_->recover();
  }
  // Up to the first failure.
  Result<> import_all() {
    settings::Project project;
    project.id = ProjectId{7};
    for (size_t i = 0; i < kChunks; ++i) {
      std::string lines = log_chunk(i);
      auto summary = importer_->import({project, LogFormat::automatic, {}, {}, lines, {}});
      if (!summary) return std::move(summary).error();
      if (summary->imported + summary->already != summary->lines)
        return Error{ErrorCode::kCorrupt, "lines are missing"};
      if (i % 3 == 2)
        if (auto made = importer_->checkpoint(); !made) return made;
    }
    return {};
  }
  std::multiset<std::string> ids() {
    std::multiset<std::string> ids;
    event::RecordParser parser;
    auto reader = journal_->reader(journal::Partition::bulk);
    journal::Offset end = journal_->writer(journal::Partition::bulk).end();
    for (journal::Offset at = 0; at < end;) {
      auto batch = reader->read(at, 1 * MiB, std::chrono::milliseconds(0));
      EXPECT_TRUE(batch) << batch.error().message;
      if (!batch || batch->next <= at) break;
      for (const journal::Record& record : batch->records) ids.emplace(parser.parse(record.bytes)->id);
      at = batch->next;
    }
    return ids;
  }

 private:
  FakeFiles& files_;
  SystemClock clock_;
  metrics::Registry registry_;
  std::unique_ptr<journal::Journal> journal_;
  std::unique_ptr<settings::Secrets> secrets_;
  std::unique_ptr<Importer> importer_;
};

void expect_each_line_once(FakeFiles& files) {
  Life life(files);
  auto opened = life.open();
  ASSERT_TRUE(opened) << opened.error().message;
  auto imported = life.import_all();
  ASSERT_TRUE(imported) << imported.error().message;
  std::multiset<std::string> ids = life.ids();
  EXPECT_EQ(ids.size(), static_cast<size_t>(kLines));
  EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()).size(), static_cast<size_t>(kLines));
}

uint64_t changes_of_a_whole_import() {
  FakeFiles files;
  uint64_t before = files.changes();
  expect_each_line_once(files);
  return files.changes() - before;
}

TEST(ImportFaults, AKillAtAnyCallNeitherLosesNorDoublesALine) {
  uint64_t changes = changes_of_a_whole_import();
  ASSERT_GT(changes, 50u);
  for (uint64_t at = 1; at <= changes; at += 1 + changes / 60) {
    SCOPED_TRACE(at);
    FakeFiles files;
    files.die_at(at);
    {
      Life life(files);
      if (life.open()) (void)life.import_all();
    }
    files.die_at(0);
    files.kill();
    expect_each_line_once(files);
  }
}

TEST(ImportFaults, APowerCutAtAnyCallNeitherLosesNorDoublesALine) {
  uint64_t changes = changes_of_a_whole_import();
  std::mt19937_64 random(3);
  for (FakeFiles::Cut cut : {FakeFiles::Cut::nothing, FakeFiles::Cut::prefix, FakeFiles::Cut::some}) {
    for (int run = 0; run < 25; ++run) {
      uint64_t at = 1 + random() % changes;
      uint64_t seed = random();
      SCOPED_TRACE(fmt::format("cut {} at {} seed {}", static_cast<int>(cut), at, seed));
      FakeFiles files;
      files.die_at(at);
      {
        Life life(files);
        if (life.open()) (void)life.import_all();
      }
      files.die_at(0);
      files.power_cut(cut, seed);
      expect_each_line_once(files);
    }
  }
}

TEST(ImportFaults, AFullDiskRefusesAndTheRestComesLater) {
  uint64_t used = 0;
  {
    FakeFiles files;
    expect_each_line_once(files);
    used = files.used_bytes();
  }
  FakeFiles files;
  {
    Life life(files);
    ASSERT_TRUE(life.open());
    // Less than the ledger of all lines takes, whether or not the journal's next segment claims it first.
    files.set_capacity(files.used_bytes() + 2'000);
    auto imported = life.import_all();
    EXPECT_FALSE(imported) << used;
  }
  files.set_capacity(UINT64_MAX);
  expect_each_line_once(files);
}

}  // namespace
}  // namespace weir::transfer
