#include "weir/settings/secrets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <set>
#include <sstream>
#include <thread>

#include "weir/settings/testing/temporary_directory.h"

namespace weir::settings {
namespace {
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr UnixMillis kHour = 3'600'000;
// 2026-11-20T00:00:00Z
const UnixMillis kMidnight = days_from_civil({2026, 11, 20}) * kMillisPerDay;
const ProjectId kProject{1234567890123456789};
constexpr std::string_view kAgent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36";

Personal personal() {
  Personal p;
  p.ip = "203.0.113.9";
  p.user_agent = kAgent;
  p.hints = R"({"sec-ch-ua-platform":"Linux"})";
  p.accept_language = "de,en;q=0.5";
  p.gpc = true;
  return p;
}

class FileSecretsTest : public ::testing::Test {
 protected:
  FileSecretsTest() { reopen(); }
  void reopen(FileSystem& files = real_files()) {
    auto opened = open_file_secrets(files, {directory_.path("secrets"), 7});
    ASSERT_TRUE(opened) << opened.error().message;
    secrets_ = std::move(*opened);
  }
  std::string seal(UnixMillis now, ProjectId project = kProject) {
    auto sealed = secrets_->seal(project, now, personal());
    EXPECT_TRUE(sealed) << sealed.error().message;
    return sealed ? *sealed : "";
  }
  ErrorCode open_error(ProjectId project, std::string_view sealed) {
    auto opened = secrets_->open(project, sealed);
    EXPECT_FALSE(opened);
    return opened ? ErrorCode::kOverloaded : opened.error().code;
  }
  uint64_t visitor(UnixMillis event, UnixMillis now, ProjectId project = kProject, std::string_view ip = "203.0.113.9",
                   std::string_view agent = kAgent) {
    auto id = secrets_->visitor(project, event, now, ip, agent);
    EXPECT_TRUE(id) << id.error().message;
    return id ? *id : 0;
  }
  std::vector<std::string> names() { return *real_files().list(directory_.path("secrets")); }
  std::string path(const std::string& name) { return directory_.path("secrets/" + name); }

  testing::TemporaryDirectory directory_;
  std::unique_ptr<Secrets> secrets_;
};

TEST_F(FileSecretsTest, OpensWhatItSealedAlsoAfterAnotherStart) {
  std::string sealed = seal(kMidnight + 9 * kHour);
  EXPECT_THAT(sealed, ::testing::MatchesRegex(R"(\{"day":"2026-11-20","sealed":"[A-Za-z0-9_-]+"\})"));
  EXPECT_EQ(sealed.find("203.0.113.9"), std::string::npos);
  for (int round = 0; round < 2; ++round) {
    auto opened = secrets_->open(kProject, sealed);
    ASSERT_TRUE(opened) << opened.error().message;
    EXPECT_EQ(opened->ip, "203.0.113.9");
    EXPECT_EQ(opened->user_agent, kAgent);
    EXPECT_EQ(opened->hints, R"({"sec-ch-ua-platform":"Linux"})");
    EXPECT_EQ(opened->accept_language, "de,en;q=0.5");
    EXPECT_TRUE(opened->gpc);
    reopen();
  }
}

TEST_F(FileSecretsTest, OpensFieldsOfEveryLengthAndContent) {
  for (size_t length : {size_t{0}, size_t{1}, size_t{127}, size_t{128}, size_t{20'000}, size_t{1} << 20}) {
    Personal p;
    std::string bytes = random_bytes(length);
    p.user_agent = bytes;
    auto sealed = secrets_->seal(kProject, kMidnight, p);
    ASSERT_TRUE(sealed);
    auto opened = secrets_->open(kProject, *sealed);
    ASSERT_TRUE(opened);
    EXPECT_TRUE(opened->user_agent == bytes);
    EXPECT_EQ(opened->ip, "");
    EXPECT_FALSE(opened->gpc);
  }
  Personal p;
  std::string bytes((1 << 20) + 1, 'x');
  p.hints = bytes;
  auto refused = secrets_->seal(kProject, kMidnight, p);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kTooLarge);
}

TEST_F(FileSecretsTest, EqualFieldsAreSealedDifferentlySoThatTextsCannotBeLinked) {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(seen.insert(seal(kMidnight)).second);
  reopen();
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(seen.insert(seal(kMidnight)).second);
}

TEST_F(FileSecretsTest, OpensAnotherSpellingOfTheSameJson) {
  std::string sealed = seal(kMidnight);
  std::string text = sealed.substr(sealed.find("sealed\":\"") + 9);
  text.resize(text.size() - 2);
  EXPECT_TRUE(secrets_->open(kProject, "{ \"sealed\" : \"" + text + "\", \"day\" : \"2026-11-20\", \"x\": [1] }"));
}

TEST_F(FileSecretsTest, AnotherProjectsOrDaysTextDoesNotOpen) {
  std::string sealed = seal(kMidnight);
  (void)seal(kMidnight, ProjectId{7});
  std::string other_day = seal(kMidnight + kMillisPerDay);
  std::string moved = sealed;
  moved.replace(8, 10, "2026-11-21");
  // Their keys differ, so to this project and day the text is of a key that is not there.
  EXPECT_EQ(open_error(ProjectId{7}, sealed), ErrorCode::kNotFound);
  EXPECT_EQ(open_error(kProject, moved), ErrorCode::kNotFound);
  EXPECT_EQ(open_error(ProjectId{8}, sealed), ErrorCode::kNotFound);
  EXPECT_TRUE(secrets_->open(kProject, other_day));
}

TEST_F(FileSecretsTest, EveryFlippedBitIsFound) {
  std::string sealed = seal(kMidnight);
  size_t begin = sealed.find("sealed\":\"") + 9;
  std::string bytes;
  ASSERT_TRUE(from_base64url(sealed.substr(begin, sealed.size() - begin - 2), bytes));
  for (size_t i = 0; i < bytes.size() * 8; ++i) {
    std::string flipped = bytes;
    flipped[i / 8] = static_cast<char>(flipped[i / 8] ^ (1 << (i % 8)));
    auto opened = secrets_->open(kProject, sealed.substr(0, begin) + to_base64url(flipped) + "\"}");
    ASSERT_FALSE(opened) << i;
    // Bytes 1 to 4 say which key it is.
    EXPECT_EQ(opened.error().code, i / 8 >= 1 && i / 8 <= 4 ? ErrorCode::kNotFound : ErrorCode::kCorrupt);
  }
  for (size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_EQ(open_error(kProject, sealed.substr(0, begin) + to_base64url(bytes.substr(0, length)) + "\"}"),
              ErrorCode::kCorrupt);
  }
}

TEST_F(FileSecretsTest, RefusesWhatIsNoSealedText) {
  for (std::string_view bad :
       {"", "{}", "null", "[]", "{\"day\":1,\"sealed\":2}", "{\"day\":\"2026-11-20\"}",
        "{\"day\":\"2026-11-20\",\"sealed\":\"\"}", "{\"day\":\"2026-13-20\",\"sealed\":\"AAAA\"}",
        "{\"day\":\"2026-02-30\",\"sealed\":\"AAAA\"}", "{\"day\":\"../../../x\",\"sealed\":\"AAAA\"}",
        "{\"day\":\"2026-11-20\",\"sealed\":\"!!!\"}"}) {
    EXPECT_EQ(open_error(kProject, bad), ErrorCode::kCorrupt) << bad;
  }
  EXPECT_EQ(open_error(kProject, std::string(9 << 20, '[')), ErrorCode::kCorrupt);
  EXPECT_EQ(open_error(kProject, std::string(100'000, '[')), ErrorCode::kCorrupt);
}

TEST_F(FileSecretsTest, PersonalKeysEndAfterTheirWholeDays) {
  std::string sealed = seal(kMidnight);
  std::string late = seal(kMidnight + kMillisPerDay - 1);
  UnixMillis last = kMidnight + 8 * kMillisPerDay - 1;  // seven whole days after the 20th have not passed
  ASSERT_TRUE(secrets_->expire(last));
  EXPECT_TRUE(secrets_->open(kProject, sealed));
  EXPECT_TRUE(secrets_->open(kProject, late));
  ASSERT_TRUE(secrets_->expire(last + 1));
  EXPECT_EQ(open_error(kProject, sealed), ErrorCode::kNotFound);
  EXPECT_EQ(open_error(kProject, late), ErrorCode::kNotFound);
  EXPECT_THAT(names(), IsEmpty());
  reopen();
  EXPECT_EQ(open_error(kProject, sealed), ErrorCode::kNotFound);
  // A clock that went back makes a new key for the old day; the old text stays unreadable, and is not taken for damage.
  (void)seal(kMidnight);
  EXPECT_EQ(open_error(kProject, sealed), ErrorCode::kNotFound);
}

TEST_F(FileSecretsTest, ADestroyedKeysBytesAreOverwrittenBeforeTheFileGoes) {
  (void)seal(kMidnight);
  std::string file = path("personal-2026-11-20-" + to_string(kProject));
  std::string before = *read_file(real_files(), file);
  std::filesystem::create_hard_link(file, directory_.path("witness"));
  ASSERT_TRUE(secrets_->expire(kMidnight + 30 * kMillisPerDay));
  std::string after = *read_file(real_files(), directory_.path("witness"));
  ASSERT_EQ(after.size(), before.size());
  EXPECT_EQ(after.find(before.substr(8, 32)), std::string::npos);
  EXPECT_NE(after, before);
}

TEST_F(FileSecretsTest, AVisitorIsOneADayAndProject) {
  UnixMillis noon = kMidnight + 12 * kHour;
  uint64_t id = visitor(noon, noon);
  EXPECT_EQ(visitor(kMidnight, noon), id);
  EXPECT_EQ(visitor(kMidnight + kMillisPerDay - 1, noon), id);
  EXPECT_NE(visitor(noon, noon, ProjectId{7}), id);
  EXPECT_NE(visitor(noon, noon, kProject, "203.0.113.10"), id);
  EXPECT_NE(visitor(noon, noon, kProject, "203.0.113.9", "curl"), id);
  // The border between the two texts counts.
  EXPECT_NE(visitor(noon, noon, kProject, "ab", "c"), visitor(noon, noon, kProject, "a", "bc"));
  EXPECT_NE(visitor(noon, noon, kProject, "", ""), 0u);
  reopen();
  EXPECT_EQ(visitor(noon, noon), id);
  std::string long_agent(100'000, 'x');
  EXPECT_EQ(visitor(noon, noon, kProject, "a", long_agent), visitor(noon, noon, kProject, "a", long_agent));
  EXPECT_NE(visitor(noon, noon, kProject, "a", long_agent), visitor(noon, noon, kProject, "a", long_agent + "x"));
}

TEST_F(FileSecretsTest, LateEventsUseTheirOwnDaysSaltForTwoDaysAndThenTheDayOfReceipt) {
  uint64_t on_20th = visitor(kMidnight, kMidnight);
  UnixMillis end_of_21st = kMidnight + 2 * kMillisPerDay - 1;
  EXPECT_EQ(visitor(kMidnight, end_of_21st), on_20th);
  UnixMillis start_of_22nd = end_of_21st + 1;
  uint64_t on_22nd = visitor(start_of_22nd, start_of_22nd);
  EXPECT_NE(on_22nd, on_20th);
  EXPECT_EQ(visitor(kMidnight, start_of_22nd), on_22nd);
  EXPECT_EQ(visitor(kMidnight - 1000 * kMillisPerDay, start_of_22nd), on_22nd);
  EXPECT_EQ(visitor(-1, start_of_22nd), on_22nd);
  // Ahead of its time: the day of receipt.
  EXPECT_EQ(visitor(start_of_22nd + kMillisPerDay, start_of_22nd), on_22nd);
  EXPECT_EQ(visitor(start_of_22nd + 5 * kMillisPerDay, start_of_22nd), on_22nd);
}

TEST_F(FileSecretsTest, SaltsAreDestroyed48HoursAfterTheirDayBegan) {
  uint64_t id = visitor(kMidnight, kMidnight);
  EXPECT_THAT(names(), ElementsAre("salt-2026-11-20"));
  ASSERT_TRUE(secrets_->expire(kMidnight + 48 * kHour - 1));
  EXPECT_THAT(names(), ElementsAre("salt-2026-11-20"));
  ASSERT_TRUE(secrets_->expire(kMidnight + 48 * kHour));
  EXPECT_THAT(names(), IsEmpty());
  EXPECT_NE(visitor(kMidnight, kMidnight), id);  // even a clock that went back does not bring it back
}

TEST_F(FileSecretsTest, FilesAndDirectoryArePrivate) {
  (void)seal(kMidnight);
  (void)visitor(kMidnight, kMidnight);
  struct stat info {};
  ASSERT_EQ(::stat(directory_.path("secrets").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700u);
  ASSERT_EQ(names().size(), 2u);
  for (const std::string& name : names()) {
    ASSERT_EQ(::stat(path(name).c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600u) << name;
  }
  ASSERT_EQ(::chmod(directory_.path("secrets").c_str(), 0755), 0);
  auto refused = open_file_secrets(real_files(), {directory_.path("secrets"), 7});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kForbidden);
  EXPECT_THAT(refused.error().message, HasSubstr("chmod 700"));
}

TEST_F(FileSecretsTest, ADamagedKeyFileIsReplaced) {
  std::string sealed = seal(kMidnight);
  std::string file = path("personal-2026-11-20-" + to_string(kProject));
  for (const std::string& damage :
       {std::string("garbage"), std::string(44, 'x'), std::string(), std::string(1000, 'y')}) {
    std::ofstream(file) << damage;
    reopen();
    EXPECT_EQ(open_error(kProject, sealed), ErrorCode::kNotFound);
    std::string again = seal(kMidnight);
    EXPECT_TRUE(secrets_->open(kProject, again));
    reopen();
    EXPECT_TRUE(secrets_->open(kProject, again));
  }
}

TEST_F(FileSecretsTest, LeftoversOfAKillAreDestroyedAndStrangersFilesAreNot) {
  std::ofstream(path("salt-2026-11-20.new")) << std::string(44, 'k');
  std::ofstream(path("personal-2026-11-20-5.new")) << "k";
  std::ofstream(path("notes.txt")) << "mine";
  std::ofstream(path("salt-of-the-earth")) << "mine";
  ASSERT_TRUE(secrets_->expire(kMidnight));
  EXPECT_THAT(names(), ElementsAre("notes.txt", "salt-of-the-earth"));
}

// The real files, but nothing new can be created.
class FullFiles final : public FileSystem {
 public:
  bool full = false;
  Result<std::unique_ptr<File>> open(const std::string& path, Mode mode) override {
    if (full && mode == Mode::create)
      return Error{ErrorCode::kOverloaded, "open " + path + ": No space left on device"};
    return real_files().open(path, mode);
  }
  bool exists(const std::string& path) override { return real_files().exists(path); }
  Result<std::vector<std::string>> list(const std::string& directory) override { return real_files().list(directory); }
  Result<> make_directory(const std::string& path) override { return real_files().make_directory(path); }
  Result<> rename(const std::string& from, const std::string& to) override { return real_files().rename(from, to); }
  Result<> remove(const std::string& path) override { return real_files().remove(path); }
  Result<> sync_directory(const std::string& path) override { return real_files().sync_directory(path); }
  Result<uint64_t> free_bytes(const std::string& path) override { return real_files().free_bytes(path); }
  Result<uint64_t> total_bytes(const std::string& path) override { return real_files().total_bytes(path); }
  Result<std::unique_ptr<FileLock>> lock(const std::string& path) override { return real_files().lock(path); }
};

TEST_F(FileSecretsTest, WithoutSpaceForANewKeyNothingIsSealedAndOldKeysWork) {
  FullFiles files;
  reopen(files);
  std::string sealed = seal(kMidnight);
  files.full = true;
  EXPECT_TRUE(secrets_->open(kProject, sealed));
  EXPECT_TRUE(secrets_->seal(kProject, kMidnight, personal()));
  auto refused = secrets_->seal(kProject, kMidnight + kMillisPerDay, personal());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
  auto no_salt = secrets_->visitor(kProject, kMidnight, kMidnight, "a", "b");
  ASSERT_FALSE(no_salt);
  EXPECT_EQ(no_salt.error().code, ErrorCode::kUnavailable);
  files.full = false;
  EXPECT_TRUE(secrets_->seal(kProject, kMidnight + kMillisPerDay, personal()));
  secrets_.reset();
}

TEST_F(FileSecretsTest, ManyThreadsAgreeOnOneKeyOneSaltAndExpireMeanwhile) {
  std::vector<std::thread> threads;
  std::vector<uint64_t> ids(4);
  for (size_t t = 0; t < ids.size(); ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 200; ++i) {
        UnixMillis now = kMidnight + (i % 3) * kMillisPerDay;
        std::string sealed = seal(now);
        EXPECT_TRUE(secrets_->open(kProject, sealed));
        uint64_t id = visitor(kMidnight + 5 * kMillisPerDay, kMidnight + 5 * kMillisPerDay);
        EXPECT_TRUE(ids[t] == 0 || ids[t] == id);
        ids[t] = id;
        if (i % 50 != 0) continue;
        EXPECT_TRUE(secrets_->expire(kMidnight + 5 * kMillisPerDay));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(std::set<uint64_t>(ids.begin(), ids.end()).size(), 1u);
}

}  // namespace
}  // namespace weir::settings
