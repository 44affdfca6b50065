#include "weir/transfer/importer.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "weir/event/record.h"
#include "weir/transfer/import_thread.h"
#include "weir/transfer/testing/memory_journal.h"

namespace weir::transfer {
namespace {

using testing::MemoryJournal;

constexpr UnixMillis kNow = 1'780'000'000'000;  // 2026-05-28

std::string line(int second, std::string_view target = "/", std::string_view client = "192.0.2.1") {
  return fmt::format(R"({} - - [17/May/2015:10:{:02}:{:02} +0000] "GET {} HTTP/1.1" 200 3 "-" "Mozilla/5.0")", client,
                     second / 60 % 60, second % 60, target) +
         "\n";
}

class ImporterTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "weir-import-XXXXXX").string();
    root_ = ::mkdtemp(name.data());
    auto secrets = settings::open_file_secrets(real_files(), {root_ + "/secrets", 7});
    ASSERT_TRUE(secrets) << secrets.error().message;
    secrets_ = *std::move(secrets);
    project_.id = ProjectId{4711};
    project_.name = "website";
    restart();
  }
  void TearDown() override {
    importer_.reset();
    std::filesystem::remove_all(root_);
  }

  // As after a kill: what was only in memory is gone.
  void restart() {
    importer_.reset();
    importer_ = std::make_unique<Importer>(real_files(), clock_, journal_, *secrets_, registry_, options());
  }
  ImporterOptions options() const {
    ImporterOptions options;
    options.directory = root_ + "/imports";
    options.append_bytes = append_bytes_;
    return options;
  }
  Result<ImportSummary> try_import(std::string_view lines, std::vector<Repeat> repeats = {}) {
    return importer_->import({project_, LogFormat::automatic, rules_, {}, lines, repeats});
  }
  ImportSummary import(std::string_view lines, std::vector<Repeat> repeats = {}) {
    auto summary = try_import(lines, std::move(repeats));
    EXPECT_TRUE(summary) << summary.error().message;
    if (!summary) return {};
    EXPECT_EQ(summary->lines, summary->imported + summary->already + summary->skipped_lines());
    return *summary;
  }
  // Every record's id, which must be unique.
  std::set<std::string> ids() {
    std::set<std::string> ids;
    event::RecordParser parser;
    for (const std::string& record : journal_.bulk()) {
      auto event = parser.parse(record);
      EXPECT_TRUE(event) << event.error().message;
      EXPECT_TRUE(ids.insert(std::string(event->id)).second) << "twice: " << record;
    }
    return ids;
  }

  std::string root_;
  size_t append_bytes_ = 1 * MiB;
  ManualClock clock_{kNow};
  metrics::Registry registry_;
  MemoryJournal journal_;
  std::unique_ptr<settings::Secrets> secrets_;
  settings::Project project_;
  LineRules rules_;
  std::unique_ptr<Importer> importer_;
};

TEST_F(ImporterTest, ALineBecomesACanonicalRecord) {
  ImportSummary summary = import(line(3, "/a?utm_source=x"));
  EXPECT_EQ(summary.imported, 1u);
  EXPECT_EQ(summary.pageviews, 1u);
  EXPECT_EQ(summary.forms[0], 1u);
  ASSERT_EQ(journal_.bulk().size(), 1u);
  std::string record = journal_.bulk()[0];
  event::RecordParser parser;
  auto event = parser.parse(record);
  ASSERT_TRUE(event) << event.error().message;
  EXPECT_EQ(event->project_id, project_.id);
  EXPECT_EQ(event->name, "pageview");
  EXPECT_EQ(event->kind, event::Kind::pageview);
  EXPECT_EQ(event->protocol, "access-log");
  EXPECT_EQ(event->path, "/a");
  EXPECT_EQ(event->url, "/a?utm_source=x");
  EXPECT_EQ(format_rfc3339(event->time), "2015-05-17T10:00:03.000Z");
  EXPECT_EQ(event->received_at, kNow);
  EXPECT_EQ(event->time_rule, event::TimeRule::client);
  EXPECT_EQ(event->client_time, "17/May/2015:10:00:03 +0000");
  EXPECT_NE(event->visitor, 0u);
  EXPECT_EQ(event->properties, R"({"status":200,"method":"GET","bytes":3,"query":"utm_source=x"})");
  EXPECT_EQ(event->id.size(), 20u);
  auto opened = secrets_->open(project_.id, event->personal);
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_EQ(opened->ip, "192.0.2.1");
  EXPECT_EQ(opened->user_agent, "Mozilla/5.0");
  // In clear only under the key.
  EXPECT_EQ(record.find("192.0.2.1"), std::string::npos);
  EXPECT_EQ(record.find("Mozilla"), std::string::npos);
}

TEST_F(ImporterTest, TheSameFileAgainAddsNothing) {
  std::string file;
  for (int s = 0; s < 600; ++s) file += line(s, "/" + std::to_string(s % 7));
  EXPECT_EQ(import(file).imported, 600u);
  ImportSummary again = import(file);
  EXPECT_EQ(again.imported, 0u);
  EXPECT_EQ(again.already, 600u);
  EXPECT_EQ(ids().size(), 600u);
}

TEST_F(ImporterTest, EqualLinesOfOneSecondAllCount) {
  std::string file = line(1) + line(1) + line(2) + line(1);
  EXPECT_EQ(import(file).imported, 4u);
  EXPECT_EQ(import(file).already, 4u);
  EXPECT_EQ(ids().size(), 4u);
}

TEST_F(ImporterTest, AGrownFileAddsItsNewLines) {
  std::string file = line(1) + line(1) + line(2);
  EXPECT_EQ(import(file).imported, 3u);
  file += line(2) + line(3);
  ImportSummary grown = import(file);
  EXPECT_EQ(grown.imported, 2u);
  EXPECT_EQ(grown.already, 3u);
}

TEST_F(ImporterTest, ChunksOfAFileAreUnderstoodAlone) {
  // The file: a a | a b a | b
  EXPECT_EQ(import(line(1) + line(1)).imported, 2u);
  std::string second = line(1) + line(2) + line(1);
  EXPECT_EQ(import(second, {{0, 2}}).imported, 3u);
  EXPECT_EQ(import(line(2), {{0, 1}}).imported, 1u);
  EXPECT_EQ(ids().size(), 6u);
  // Sent again, as after a lost answer.
  EXPECT_EQ(import(second, {{0, 2}}).already, 3u);
  // The same file in one piece.
  EXPECT_EQ(import(line(1) + line(1) + line(1) + line(2) + line(1) + line(2)).already, 6u);
}

TEST_F(ImporterTest, ProjectsDoNotShareTheirLines) {
  EXPECT_EQ(import(line(1)).imported, 1u);
  project_.id = ProjectId{4712};
  EXPECT_EQ(import(line(1)).imported, 1u);
  EXPECT_EQ(ids().size(), 2u);  // nor their salt
}

TEST_F(ImporterTest, AccountsForEveryLine) {
  project_.retention_days = 365 * 30;
  std::string file = line(1);
  file += "\n   \n# comment\ngarbage\n";
  file += R"(192.0.2.1 - - [17/May/1989:10:00:00 +0000] "GET / HTTP/1.1" 200 3)"
          "\n";
  file += R"(192.0.2.1 - - [17/May/1995:10:00:00 +0000] "GET / HTTP/1.1" 200 3)"
          "\n";
  file += R"(192.0.2.1 - - [17/May/2095:10:00:00 +0000] "GET / HTTP/1.1" 200 3)"
          "\n";
  file += R"(192.0.2.1 - - [17/May/2015:10:00:00 +0000] "GET / HTTP/1.1" 404 3)"
          "\r\n";
  file += std::string(kLineBytesMax + 1, 'x') + "\n";
  file += "no newline at the end";
  ImportSummary s = import(file);
  EXPECT_EQ(s.lines, 11u);
  EXPECT_EQ(s.imported, 2u);
  EXPECT_EQ(s.pageviews, 1u);
  EXPECT_EQ(s.forms[0], 1u);
  EXPECT_EQ(s.forms[1], 1u);
  auto skipped = [&](Skip reason) { return s.skipped[static_cast<size_t>(reason)]; };
  EXPECT_EQ(skipped(Skip::blank), 2u);
  EXPECT_EQ(skipped(Skip::comment), 1u);
  EXPECT_EQ(skipped(Skip::unreadable), 2u);
  EXPECT_EQ(skipped(Skip::too_early), 1u);
  EXPECT_EQ(skipped(Skip::retention), 1u);
  EXPECT_EQ(skipped(Skip::too_late), 1u);
  EXPECT_EQ(skipped(Skip::too_long), 1u);
  ASSERT_EQ(s.examples.size(), 2u);
  EXPECT_EQ(s.examples[0].line, 4u);
  EXPECT_EQ(s.examples[1].line, 10u);
  EXPECT_EQ(format_rfc3339(s.first_time), "2015-05-17T10:00:00.000Z");
}

TEST_F(ImporterTest, ALineAheadOfTheClockByUpToADayCounts) {
  clock_.advance(std::chrono::hours(0));
  auto at = [](UnixMillis t) {
    std::string text = format_rfc3339(t);  // 2026-05-28T20:26:40.000Z
    return fmt::format(R"(192.0.2.1 - - [{}/May/2026:{} +0000] "GET / HTTP/1.1" 200 3)", text.substr(8, 2),
                       text.substr(11, 8));
  };
  EXPECT_EQ(import(at(kNow + kMillisPerDay)).imported, 1u);
  EXPECT_EQ(import(at(kNow + kMillisPerDay + 1000)).skipped_lines(), 1u);
}

TEST_F(ImporterTest, VisitorsAreTheSameWhateverTheFileAndDifferByDay) {
  import(line(1, "/a") + line(2, "/b") + line(3, "/c", "192.0.2.2"));
  restart();
  std::string other_day = line(4, "/a");
  other_day.replace(other_day.find("17/May"), 6, "18/May");
  import(line(4, "/d") + other_day);
  std::vector<uint64_t> visitors;
  std::vector<std::string> personal;
  event::RecordParser parser;
  for (const std::string& record : journal_.bulk()) {
    auto event = parser.parse(record);
    visitors.push_back(event->visitor);
    personal.emplace_back(event->personal);
  }
  ASSERT_EQ(visitors.size(), 5u);
  EXPECT_EQ(visitors[0], visitors[1]);
  EXPECT_NE(visitors[0], visitors[2]);
  EXPECT_EQ(visitors[0], visitors[3]);
  EXPECT_NE(visitors[0], visitors[4]);
  EXPECT_EQ(personal[0], personal[1]);
  EXPECT_NE(personal[3], personal[4]) << "equal sealed texts would tell that two days had the same person";
}

TEST_F(ImporterTest, UsersAreVisitorsOnlyWhenAskedFor) {
  std::string with_user = R"(192.0.2.1 - ann [17/May/2015:10:00:00 +0000] "GET / HTTP/1.1" 200 3)";
  import(with_user);
  EXPECT_EQ(journal_.bulk()[0].find("ann"), std::string::npos);
  rules_.keep_user = KeepUser::yes;
  EXPECT_EQ(import(with_user).already, 1u) << "the same line, whatever is kept of it";
  import(with_user + " ");
  event::RecordParser parser;
  const auto records = journal_.bulk();  // which the event points into
  auto event = parser.parse(records[1]);
  EXPECT_EQ(event->user_id, "ann");
  EXPECT_EQ(event->visitor, 0u);
}

TEST_F(ImporterTest, KilledBetweenJournalAndLedgerLosesAndDoublesNothing) {
  std::string file;
  for (int s = 0; s < 3000; ++s) file += line(s % 3600, "/" + std::to_string(s));
  append_bytes_ = 20'000;
  for (int kill_after : {1, 2, 5, 9}) {
    SCOPED_TRACE(kill_after);
    restart();
    int appends = 0;
    journal_.survives = [&] { return ++appends < kill_after; };
    (void)try_import(file);
    journal_.survives = nullptr;
    restart();
    ids();
  }
  EXPECT_GT(journal_.bulk().size(), 0u);
  ImportSummary last = import(file);
  EXPECT_EQ(last.lines, 3000u);
  EXPECT_EQ(ids().size(), 3000u);
  EXPECT_EQ(import(file).already, 3000u);
}

TEST_F(ImporterTest, AnAppendThatFailedButIsThereCountsOnceWithoutARestart) {
  journal_.survives = [] { return false; };
  ASSERT_FALSE(try_import(line(1) + line(2)));
  journal_.survives = nullptr;
  EXPECT_EQ(import(line(1) + line(2) + line(3)).already, 2u);
  EXPECT_EQ(ids().size(), 3u);
}

TEST_F(ImporterTest, ALedgerThatLostItsUnsyncedTailIsCompletedFromTheJournal) {
  EXPECT_EQ(import(line(1) + line(2)).imported, 2u);
  ASSERT_TRUE(importer_->checkpoint());
  EXPECT_EQ(import(line(3) + line(4)).imported, 2u);
  importer_.reset();
  // A power cut: of the day's file only what was synced is left, and half a frame.
  std::string path = root_ + "/imports/4711/2015-05-17.lines";
  auto size = std::filesystem::file_size(path);
  ASSERT_EQ(size, 2u * (16 + 2 * 8));
  std::filesystem::resize_file(path, size / 2 + 20);
  restart();
  ImportSummary again = import(line(1) + line(2) + line(3) + line(4) + line(5));
  EXPECT_EQ(again.already, 4u);
  EXPECT_EQ(again.imported, 1u);
  EXPECT_EQ(ids().size(), 5u);
}

TEST_F(ImporterTest, AFullJournalRefusesAndTakesTheRestLater) {
  std::string file;
  for (int s = 0; s < 1000; ++s) file += line(s);
  append_bytes_ = 50'000;
  restart();
  int appends = 0;
  journal_.refuse = [&]() -> Result<> {
    if (++appends > 2) return Error{ErrorCode::kOverloaded, "journal: full"};
    return {};
  };
  auto refused = try_import(file);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kOverloaded);
  size_t held = journal_.bulk().size();
  EXPECT_GT(held, 0u);
  EXPECT_LT(held, 1000u);
  journal_.refuse = nullptr;
  ImportSummary rest = import(file);
  EXPECT_EQ(rest.already, held);
  EXPECT_EQ(rest.imported, 1000u - held);
  EXPECT_EQ(ids().size(), 1000u);
}

TEST_F(ImporterTest, RecordsAboveTheLimitAreSkippedEachTime) {
  std::string long_line = line(1, "/" + std::string(60'000, 'x') + "?" + std::string(4'000, 'y'));
  importer_.reset();
  ImporterOptions small = options();
  small.record_bytes_max = 10'000;
  importer_ = std::make_unique<Importer>(real_files(), clock_, journal_, *secrets_, registry_, small);
  for (int i = 0; i < 2; ++i) {
    ImportSummary s = import(long_line + line(2));
    EXPECT_EQ(s.skipped[static_cast<size_t>(Skip::too_long)], 1u);
    EXPECT_EQ(s.imported, i == 0 ? 1u : 0u);
  }
  EXPECT_EQ(ids().size(), 1u);
}

TEST_F(ImporterTest, AnotherJournalIsReadFromItsBegin) {
  EXPECT_EQ(import(line(1)).imported, 1u);
  ASSERT_TRUE(importer_->checkpoint());
  ASSERT_TRUE(
      replace_file(real_files(), root_ + "/imports/covered", "weir-imports 1\n" + std::string(32, '0') + " 99\n"));
  restart();
  EXPECT_EQ(import(line(1)).already, 1u);
  ASSERT_TRUE(replace_file(real_files(), root_ + "/imports/covered",
                           "weir-imports 1\n" + to_hex(journal_.uuid()) + " nonsense\n"));
  restart();
  EXPECT_EQ(import(line(1)).already, 1u);
}

TEST_F(ImporterTest, ALostSaltStopsItsProjectOnlyAndCanBeBroughtBack) {
  EXPECT_EQ(import(line(1)).imported, 1u);
  ASSERT_TRUE(importer_->checkpoint());
  EXPECT_EQ(import(line(2)).imported, 1u);  // in the journal, and in the ledger behind the checkpoint
  importer_.reset();
  std::filesystem::resize_file(root_ + "/imports/4711/2015-05-17.lines", 24);
  std::filesystem::rename(root_ + "/imports/4711/salt", root_ + "/salt");
  restart();
  auto refused = try_import(line(3));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kCorrupt);
  project_.id = ProjectId{4712};
  EXPECT_EQ(import(line(1)).imported, 1u);
  ASSERT_TRUE(importer_->rest());
  project_.id = ProjectId{4711};
  std::filesystem::rename(root_ + "/salt", root_ + "/imports/4711/salt");
  EXPECT_EQ(import(line(1) + line(2)).already, 2u);
  EXPECT_EQ(ids().size(), 3u);
}

TEST_F(ImporterTest, AnEndIsNotKeptWaitingByRecovery) {
  EXPECT_EQ(import(line(1)).imported, 1u);
  restart();
  importer_->end_soon();
  auto ended = importer_->recover();
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, ErrorCode::kUnavailable);
}

TEST_F(ImporterTest, RestGivesBackTheMemoryAndForgetsNothing) {
  EXPECT_EQ(import(line(1)).imported, 1u);
  ASSERT_TRUE(importer_->rest());
  EXPECT_NE(registry_.text().find("weir_transfer_ledger_bytes 0"), std::string::npos);
  EXPECT_EQ(import(line(1)).already, 1u);
}

TEST_F(ImporterTest, AnImportNobodyMadeLeavesNoTrace) {
  ASSERT_TRUE(importer_->recover());
  ASSERT_TRUE(importer_->checkpoint());
  EXPECT_FALSE(std::filesystem::exists(root_ + "/imports"));
}

TEST_F(ImporterTest, TheThreadAnswersInOrderAndMakesACheckpointAtTheEnd) {
  std::vector<uint64_t> imported;
  {
    ImportThread thread(*importer_);
    for (int i = 0; i < 5; ++i) {
      ImportJob job;
      job.project = project_;
      job.body = "ignored\n" + line(i);
      job.lines_at = 8;
      thread.submit(std::move(job), [&](Result<ImportSummary> s) { imported.push_back(s ? s->imported : 99); });
    }
    thread.stop();
    ImportJob late;
    ErrorCode code = ErrorCode::kBadInput;
    thread.submit(std::move(late), [&](Result<ImportSummary> s) { code = s.error().code; });
    EXPECT_EQ(code, ErrorCode::kUnavailable);
  }
  EXPECT_EQ(imported, std::vector<uint64_t>(5, 1));
  auto covered = read_file(real_files(), root_ + "/imports/covered");
  ASSERT_TRUE(covered);
  EXPECT_EQ(*covered, "weir-imports 1\n" + to_hex(journal_.uuid()) + " 5\n");
}

TEST(ImportSummaryTest, JsonThereAndBack) {
  ImportSummary part;
  part.lines = 9;
  part.imported = 3;
  part.already = 2;
  part.skip(Skip::blank);
  part.skip(Skip::retention);
  part.skip(Skip::unreadable);
  part.skip(Skip::unreadable);
  part.pageviews = 1;
  part.forms[0] = 4;
  part.forms[1] = 1;
  part.saw(1000);
  part.saw(5000);
  part.add_example(6, "no \"time\"");
  auto read = ImportSummary::parse(part.to_json());
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->to_json(), part.to_json());
  ImportSummary whole;
  whole.add(*read, 0);
  whole.add(*read, 100);
  EXPECT_EQ(whole.lines, 18u);
  EXPECT_EQ(whole.skipped_lines(), 8u);
  EXPECT_EQ(whole.examples.back().line, 106u);
  EXPECT_EQ(whole.last_time, 5000);
  for (std::string_view json : {"", "{}", "[]", "{\"lines\":-1}", "nonsense"}) EXPECT_FALSE(ImportSummary::parse(json));
}

TEST_F(ImporterTest, WhatTheRulesLeaveOutMayBeTakenLater) {
  std::string file = line(1, "/a") + line(2, "/a.css") + line(3, "/feed.xml");
  rules_.pages_only = true;
  ImportSummary pages = import(file);
  EXPECT_EQ(pages.imported, 1u);
  EXPECT_EQ(pages.skipped[static_cast<size_t>(Skip::asset)], 1u);
  EXPECT_EQ(pages.skipped[static_cast<size_t>(Skip::not_page)], 1u);
  rules_.pages_only = false;
  ImportSummary rest = import(file);
  EXPECT_EQ(rest.imported, 2u);
  EXPECT_EQ(rest.already, 1u);
  EXPECT_EQ(ids().size(), 3u);
}

TEST_F(ImporterTest, EveryFormatIsKnownAgain) {
  std::string file =
      R"(shop.example:443 192.0.2.1 - - [17/May/2015:10:05:03 +0000] "GET /v HTTP/1.1" 200 3 "-" "M")"
      "\n"
      R"({"ts":1431857103,"uri":"/j","remote_addr":"192.0.2.1","user_agent":"a \\x41","host":"shop.example"})"
      "\n#Fields: date time c-ip cs-method cs-uri-stem sc-status\n2015-05-17 10:05:03 192.0.2.1 GET /w 200\n";
  ImportSummary summary = import(file);
  EXPECT_EQ(summary.imported, 3u);
  for (LineForm form : {LineForm::vhost, LineForm::json, LineForm::w3c})
    EXPECT_EQ(summary.forms[static_cast<size_t>(form)], 1u);
  EXPECT_EQ(import(file).already, 3u);
  event::RecordParser parser;
  auto records = journal_.bulk();
  auto event = parser.parse(records[0]);
  ASSERT_TRUE(event);
  EXPECT_EQ(event->hostname, "shop.example");
  EXPECT_EQ(event->url, "https://shop.example/v");
  event = parser.parse(records[1]);
  ASSERT_TRUE(event);
  auto opened = secrets_->open(project_.id, event->personal);
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->user_agent, "a \\x41");  // JSON's escapes are undone once, and no server's after it
}

// Asks until the history is whole, as the command does.
class SeedImportTest : public ImporterTest {
 protected:
  Result<SeedProgress> seed_all() {
    while (true) {
      auto progress = importer_->seed(project_, plan_);
      if (!progress || progress->done == progress->events) return progress;
    }
  }
  const int64_t today_ = day_of(kNow);
  SeedPlan plan_{40'000, 30, 1, today_};
};

TEST_F(SeedImportTest, EveryEventBecomesARecordOnce) {
  auto first = seed_all();
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ(first->seeded, 40'000u);
  EXPECT_EQ(first->already, 0u);
  EXPECT_EQ(ids().size(), 40'000u);
  auto again = seed_all();
  ASSERT_TRUE(again);
  EXPECT_EQ(again->seeded, 0u);
  EXPECT_EQ(again->already, 40'000u);
  EXPECT_EQ(ids().size(), 40'000u);

  event::RecordParser parser;
  auto records = journal_.bulk();
  auto event = parser.parse(records[7]);
  ASSERT_TRUE(event);
  EXPECT_EQ(event->project_id, project_.id);
  EXPECT_EQ(event->received_at, kNow);
  EXPECT_EQ(event->protocol, kSeedProtocol);
  auto opened = secrets_->open(project_.id, event->personal);
  ASSERT_TRUE(opened) << opened.error().message;
  SeedHistory history(plan_);
  const SeededEvent* same = nullptr;
  for (int i = 0; i <= 7; ++i) same = history.next();
  EXPECT_EQ(opened->ip, same->address);
  EXPECT_EQ(opened->user_agent, same->user_agent);
  EXPECT_EQ(event->url, same->event.url);
  EXPECT_EQ(event->time, same->event.time);
}

TEST_F(SeedImportTest, AnotherHistoryAndAnotherProjectStandBesideIt) {
  ASSERT_TRUE(seed_all());
  plan_.seed = 2;
  EXPECT_EQ(seed_all()->seeded, 40'000u);
  EXPECT_EQ(ids().size(), 80'000u);
  project_.id = ProjectId{4712};
  EXPECT_EQ(seed_all()->seeded, 40'000u);
}

TEST_F(SeedImportTest, GoesOnAfterARestart) {
  auto part = importer_->seed(project_, plan_);
  ASSERT_TRUE(part);
  ASSERT_LT(part->done, plan_.events);
  restart();
  auto whole = seed_all();
  ASSERT_TRUE(whole) << whole.error().message;
  EXPECT_EQ(whole->already, part->done);
  EXPECT_EQ(whole->seeded, plan_.events - part->done);
  EXPECT_EQ(ids().size(), plan_.events);
}

TEST_F(SeedImportTest, AKillBetweenTheJournalAndTheLedgerDoublesNothing) {
  append_bytes_ = 64 * KiB;
  restart();
  int appends = 0;
  journal_.survives = [&] { return ++appends % 37 != 0; };
  int deaths = 0;
  while (true) {
    auto progress = seed_all();
    if (progress) break;
    EXPECT_EQ(progress.error().code, ErrorCode::kUnavailable);
    ASSERT_LT(++deaths, 100);
    restart();
  }
  EXPECT_GT(deaths, 0);
  EXPECT_EQ(ids().size(), plan_.events);
}

TEST_F(SeedImportTest, AJournalThatRefusesLosesAndDoublesNothing) {
  append_bytes_ = 64 * KiB;
  restart();
  int appends = 0;
  journal_.refuse = [&]() -> Result<> {
    if (++appends % 41 == 0) return Error{ErrorCode::kOverloaded, "journal: full"};
    return {};
  };
  int refused = 0;
  while (true) {
    auto progress = seed_all();
    if (progress) break;
    EXPECT_EQ(progress.error().code, ErrorCode::kOverloaded);
    ASSERT_LT(++refused, 100);
  }
  EXPECT_GT(refused, 0);
  EXPECT_EQ(ids().size(), plan_.events);
}

TEST_F(SeedImportTest, TwoAtOnceShareOneHistory) {
  uint64_t mine = 0;
  SeedPlan other = plan_;
  other.seed = 9;
  while (true) {
    ASSERT_TRUE(importer_->seed(project_, other));
    auto progress = importer_->seed(project_, plan_);
    ASSERT_TRUE(progress);
    mine = progress->done;
    if (mine == plan_.events) break;
  }
  EXPECT_EQ(ids().size(), 2 * plan_.events);
}

TEST_F(SeedImportTest, RefusesWhatItCannotKeep) {
  project_.retention_days = 20;
  auto refused = importer_->seed(project_, plan_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kBadInput);
  EXPECT_EQ(
      refused.error().message,
      "seed: project website keeps events for 20 days: --days 30 with this --end would begin before that; at most "
      "19");
  plan_.days = 19;
  EXPECT_TRUE(importer_->seed(project_, plan_));
  plan_.events = 0;
  EXPECT_EQ(importer_->seed(project_, plan_).error().message, "seed: --events 0: expected 1 to 1000000000");
  EXPECT_TRUE(journal_.bulk().size() > 0);
}

TEST_F(SeedImportTest, AFifthHistoryAtOnceWaits) {
  for (uint64_t seed = 1; seed <= Importer::kSeedsMax; ++seed) {
    plan_.seed = seed;
    ASSERT_TRUE(importer_->seed(project_, plan_));
  }
  plan_.seed = 99;
  EXPECT_EQ(importer_->seed(project_, plan_).error().code, ErrorCode::kOverloaded);
  // Nobody asks any more: what they held is given back.
  ASSERT_TRUE(importer_->rest());
  EXPECT_TRUE(importer_->seed(project_, plan_));
}

TEST(SeedProgress, ReadsItsOwnJson) {
  SeedProgress progress{10, 7, 4, 3};
  auto read = SeedProgress::parse(progress.to_json());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->to_json(), R"({"events":10,"done":7,"seeded":4,"already":3})");
  EXPECT_EQ(SeedProgress::parse("{}").error().code, ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace weir::transfer
