#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "weir/base/bytes.h"
#include "weir/base/random.h"
#include "weir/base/testing/eventually.h"
#include "weir/event/record.h"
#include "weir/journal/open.h"
#include "weir/load/loader.h"
#include "weir/settings/open.h"
#include "weir/store/testing/fake_store.h"

namespace weir::load::testing {

using std::chrono::milliseconds;
using std::chrono::seconds;
using store::testing::FakeStore;
using store::testing::StoredRow;
using weir::testing::eventually;

// A real journal in a directory of its own, a fake store, and loaders over both.
class LoaderTest : public ::testing::Test {
 protected:
  LoaderTest() {
    std::filesystem::create_directory(directory_);
    auto repository = settings::open(directory_, clock_, settings::Options());
    EXPECT_TRUE(repository) << repository.error().message;
    settings_ = std::move(*repository);
    settings::SecretsOptions secrets;
    secrets.directory = directory_ + "/secrets";
    secrets_ = std::move(*settings::open_file_secrets(real_files(), secrets));
    open_journal();
    outcomes_ = open_outcomes();
    bulk_outcomes_ = open_outcomes(journal::Partition::bulk);
    dedup_ = open_dedup();
    healer_ = open_healer();
    options_.batch_age = milliseconds(10);
    options_.batch_rows = 100;
    options_.retry_pause_max = milliseconds(20);
  }
  ~LoaderTest() override {
    loader_.reset();
    EXPECT_TRUE(journal_->close());
    std::filesystem::remove_all(directory_);
  }

  std::unique_ptr<Dedup> open_dedup() {
    auto dedup = Dedup::open(real_files(), directory_ + "/dedup", journal_->uuid(), {.recent_max = 64});
    EXPECT_TRUE(dedup) << dedup.error().message;
    return dedup ? *std::move(dedup) : nullptr;
  }
  std::unique_ptr<VisitHealer> open_healer() {
    auto healer = VisitHealer::open(real_files(), directory_ + "/outcomes", journal_->uuid(), {store_, registry_});
    EXPECT_TRUE(healer) << healer.error().message;
    return healer ? *std::move(healer) : nullptr;
  }
  // As a new process.
  void reopen() {
    loader_.reset();
    dedup_.reset();
    healer_.reset();
    outcomes_ = open_outcomes();
    dedup_ = open_dedup();
    healer_ = open_healer();
  }

  std::unique_ptr<Outcomes> open_outcomes(journal::Partition partition = journal::Partition::live) {
    auto outcomes = Outcomes::open(real_files(), directory_ + "/outcomes", journal_->uuid(), partition);
    EXPECT_TRUE(outcomes) << outcomes.error().message;
    return outcomes ? *std::move(outcomes) : nullptr;
  }

  void append(journal::Records records, journal::Partition partition = journal::Partition::live) {
    auto done = journal::append_and_wait(journal_->writer(partition), std::move(records),
                                         std::chrono::steady_clock::now() + seconds(10));
    ASSERT_TRUE(done) << done.error().message;
  }
  void open_journal() {
    journal::Options options;
    options.segment_bytes = 1 * MiB;
    auto opened = journal::open(real_files(), clock_, registry_, directory_ + "/journal", options);
    ASSERT_TRUE(opened) << opened.error().message;
    journal_ = *std::move(opened);
  }
  // As a new process; `between`: what befalls the journal's files meanwhile.
  void reopen_journal(const std::function<void()>& between) {
    loader_.reset();
    ASSERT_TRUE(journal_->close());
    journal_.reset();
    between();
    open_journal();
  }
  // For a journal that is rolled back, both while it is closed.
  void copy_journal() {
    std::filesystem::copy(directory_ + "/journal", directory_ + "/older", std::filesystem::copy_options::recursive);
  }
  void put_copy_back() {
    std::filesystem::remove_all(directory_ + "/journal");
    std::filesystem::rename(directory_ + "/older", directory_ + "/journal");
  }
  // Bytes that are no event.
  void append_garbage(std::string_view bytes) {
    journal::Records records;
    records.add(bytes);
    append(std::move(records));
  }

  // An event of project 7 and visitor u, whose name, id and the like the caller says.
  void append(event::Event event, journal::Partition partition = journal::Partition::live) {
    event.project_id = ProjectId{7};
    event.user_id = "u";
    event.protocol = "native";
    event.received_at = event.time;
    journal::Records records;
    event::append_record(event, records.begin());
    records.end();
    append(std::move(records), partition);
  }
  void append(int count, UnixMillis first_time = 1'750'000'000'000, UnixMillis step = 1000) {
    journal::Records records;
    for (int i = 0; i < count; ++i) {
      std::string name = fmt::format("e{}", appended_++);
      event::Event event;
      event.project_id = ProjectId{7};
      event.name = name;
      event.user_id = "u";
      event.protocol = "native";
      event.time = event.received_at = first_time + i * step;
      event::append_record(event, records.begin());
      records.end();
    }
    append(std::move(records));
  }

  void start(journal::Partition partition = journal::Partition::live) {
    make(partition);
    loader_->start();
  }
  void make(journal::Partition partition = journal::Partition::live) {
    loader_ = std::make_unique<Loader>(options_,
                                       Dependencies{*journal_,
                                                    store_,
                                                    *settings_,
                                                    *secrets_,
                                                    {outcomes_.get(), bulk_outcomes_.get()},
                                                    *dedup_,
                                                    *healer_,
                                                    nullptr,
                                                    *loader_clock_,
                                                    registry_,
                                                    watch_},
                                       partition, nullptr);
  }

  [[nodiscard]] bool all_loaded() {
    return eventually([&] {
      Progress progress = loader_->progress();
      return progress.reconciled && progress.loaded == progress.end;
    });
  }
  // Two events of one visitor, by a loader each; `between` them.
  void load_two_a_minute_apart(const std::function<void()>& between) {
    const UnixMillis now = clock_.now();
    append(1, now - 60'000);
    start();
    ASSERT_TRUE(all_loaded());
    loader_.reset();
    append(1, now);
    between();
    start();
    ASSERT_TRUE(all_loaded());
  }
  // Every record exactly once, by name and by position.
  void expect_exact() {
    std::set<std::string> names;
    std::set<std::pair<uint32_t, uint64_t>> positions;
    auto rows = store_.rows();
    for (const StoredRow& row : rows) {
      names.emplace(row.text("name"));
      positions.emplace(row.p, row.o);
    }
    EXPECT_EQ(rows.size(), static_cast<size_t>(appended_));
    EXPECT_EQ(names.size(), static_cast<size_t>(appended_));
    EXPECT_EQ(positions.size(), static_cast<size_t>(appended_));
  }

  std::string directory_ = ::testing::TempDir() + "/weir_load_" + to_hex(random_bytes(6));
  SystemClock clock_;
  Clock* loader_clock_ = &clock_;
  metrics::Registry registry_;
  FakeStore store_;
  std::unique_ptr<settings::Repository> settings_;
  std::unique_ptr<settings::Secrets> secrets_;
  std::unique_ptr<journal::Journal> journal_;
  std::unique_ptr<Outcomes> outcomes_;
  std::unique_ptr<Outcomes> bulk_outcomes_;
  std::unique_ptr<Dedup> dedup_;
  std::unique_ptr<VisitHealer> healer_;
  Options options_;
  event::RowWatch* watch_ = nullptr;
  std::unique_ptr<Loader> loader_;
  int appended_ = 0;
};

}  // namespace weir::load::testing
