#include "weir/load/row_maker.h"

#include <gtest/gtest.h>

#include <optional>

namespace weir::load {
namespace {

constexpr ProjectId kProject{7};

// Answers what it is told to.
class ToldSecrets : public settings::Secrets {
 public:
  Result<std::string> seal(ProjectId, UnixMillis, const settings::Personal&) override { return std::string(); }
  Result<Opened> open(ProjectId, std::string_view) override {
    ++asked;
    if (error) return Error{*error, "settings: told so"};
    return Opened{.ip = "192.0.2.1", .user_agent = "", .hints = "", .accept_language = ""};
  }
  Result<uint64_t> visitor(ProjectId, UnixMillis, UnixMillis, std::string_view, std::string_view) override { return 1; }
  Result<> expire(UnixMillis) override { return {}; }

  std::optional<ErrorCode> error;
  int asked = 0;
};

TEST(PersonalFields, OfOneRequestAreOpenedOnce) {
  ToldSecrets secrets;
  PersonalFields fields(secrets);
  EXPECT_EQ(fields.of(kProject, "").value(), nullptr);
  EXPECT_EQ(secrets.asked, 0);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(fields.of(kProject, "a").value()->ip, "192.0.2.1");
  EXPECT_EQ(secrets.asked, 1);
  fields.of(kProject, "b").value();
  EXPECT_EQ(secrets.asked, 2);
}

TEST(PersonalFields, AreNoneWhenTheyAreGoneAndAskedForAgainWhenTheyCannotBeRead) {
  ToldSecrets secrets;
  PersonalFields fields(secrets);
  for (ErrorCode gone : {ErrorCode::kNotFound, ErrorCode::kCorrupt}) {
    secrets.error = gone;
    EXPECT_EQ(fields.of(kProject, gone == ErrorCode::kNotFound ? "lost" : "damaged").value(), nullptr);
  }
  secrets.error = ErrorCode::kUnavailable;
  EXPECT_EQ(fields.of(kProject, "a").error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(fields.of(kProject, "a").error().code, ErrorCode::kUnavailable);
  secrets.error.reset();
  EXPECT_EQ(fields.of(kProject, "a").value()->ip, "192.0.2.1");
}

}  // namespace
}  // namespace weir::load
