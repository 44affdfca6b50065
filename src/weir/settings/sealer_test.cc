#include "weir/settings/sealer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "weir/settings/sqlite/repository.h"
#include "weir/settings/testing/temporary_directory.h"

namespace weir::settings {
namespace {
using ::testing::HasSubstr;
using ::testing::Not;

constexpr UserId kAnn{17};
constexpr std::string_view kSecret = "secret of 20 bytes..";

std::string read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream all;
  all << file.rdbuf();
  return all.str();
}

TEST(Sealer, OnlyTheSameKeyAndPersonOpenIt) {
  Sealer sealer(std::string(32, 'a'));
  const std::string sealed = sealer.seal(kAnn, kSecret);
  EXPECT_TRUE(Sealer::is_sealed(sealed));
  EXPECT_THAT(sealed, Not(HasSubstr(std::string(kSecret))));
  EXPECT_NE(sealed, sealer.seal(kAnn, kSecret));
  ASSERT_TRUE(sealer.unseal(kAnn, sealed));
  EXPECT_EQ(*sealer.unseal(kAnn, sealed), kSecret);
  EXPECT_EQ(sealer.unseal(UserId{18}, sealed).error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(Sealer(std::string(32, 'b')).unseal(kAnn, sealed).error().code, ErrorCode::kCorrupt);
  for (size_t at = 8; at < sealed.size(); ++at) {
    std::string damaged = sealed;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    EXPECT_FALSE(sealer.unseal(kAnn, damaged)) << at;
  }
  // Of a version that kept it in clear.
  EXPECT_FALSE(Sealer::is_sealed(kSecret));
  EXPECT_EQ(*sealer.unseal(kAnn, kSecret), kSecret);
}

TEST(Sealer, TheKeyIsMadeOnceAndIsPrivate) {
  testing::TemporaryDirectory directory;
  auto first = Sealer::open(real_files(), directory.path());
  ASSERT_TRUE(first) << first.error().message;
  struct stat info {};
  ASSERT_EQ(::stat(directory.path("accounts").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  const std::string sealed = (*first)->seal(kAnn, kSecret);
  auto second = Sealer::open(real_files(), directory.path());
  ASSERT_TRUE(second);
  EXPECT_EQ(*(*second)->unseal(kAnn, sealed), kSecret);
  // A damaged one is replaced: nobody is locked out who has a recovery code.
  std::string damaged = read(directory.path("accounts"));
  damaged[20] = static_cast<char>(damaged[20] ^ 1);
  std::ofstream(directory.path("accounts"), std::ios::binary) << damaged;
  auto third = Sealer::open(real_files(), directory.path());
  ASSERT_TRUE(third);
  EXPECT_FALSE((*third)->unseal(kAnn, sealed));
  EXPECT_EQ(*(*third)->unseal(kAnn, (*third)->seal(kAnn, kSecret)), kSecret);
}

TEST(Sealer, WhatWasKeptInClearIsSealedAndLeavesNoTrace) {
  testing::TemporaryDirectory directory;
  ManualClock clock{1'790'000'000'000};
  Sealer sealer(std::string(32, 'a'));
  {
    auto repository = sqlite::open(real_files(), directory.path(), clock, {});
    ASSERT_TRUE(repository) << repository.error().message;
    for (const char* email : {"ann@example.com", "bob@example.com"}) {
      auto made = (*repository)->create_user({.email = email, .grants = {{std::nullopt, Role::owner}}});
      ASSERT_TRUE(made) << made.error().message;
    }
    UserId ann = (*repository)->snapshot()->user_of_email("ann@example.com")->id;
    auto clear = (*repository)->change_user(ann, [](User& user) -> Result<> {
      user.totp_secret = kSecret;
      user.totp_step = 7;
      return {};
    });
    ASSERT_TRUE(clear);
    ASSERT_TRUE((*repository)->close());
  }
  EXPECT_THAT(read(directory.path("settings.db")), HasSubstr(std::string(kSecret)));
  std::string sealed;
  for (int start = 0; start < 2; ++start) {
    auto repository = sqlite::open(real_files(), directory.path(), clock, {});
    ASSERT_TRUE(repository);
    ASSERT_TRUE(seal_second_factors(**repository, sealer));
    const User* ann = (*repository)->snapshot()->user_of_email("ann@example.com");
    EXPECT_EQ(*sealer.unseal(ann->id, ann->totp_secret), kSecret);
    EXPECT_EQ(ann->totp_step, 7);
    EXPECT_TRUE((*repository)->snapshot()->user_of_email("bob@example.com")->totp_secret.empty());
    // Once.
    if (start == 0) sealed = ann->totp_secret;
    EXPECT_EQ(ann->totp_secret, sealed);
    ASSERT_TRUE((*repository)->close());
  }
  const std::string hex = "736563726574206f66203230";  // as the snapshot writes it
  for (const auto& entry : std::filesystem::directory_iterator(directory.path())) {
    const std::string content = read(entry.path().string());
    EXPECT_THAT(content, Not(HasSubstr(std::string(kSecret)))) << entry.path();
    EXPECT_THAT(content, Not(HasSubstr(hex))) << entry.path();
  }
}

}  // namespace
}  // namespace weir::settings
