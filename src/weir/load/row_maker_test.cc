#include "weir/load/row_maker.h"

#include <gtest/gtest.h>

#include "weir/load/testing/told_secrets.h"

namespace weir::load::testing {
namespace {

constexpr ProjectId kProject{7};

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
    secrets.fail = true;
    secrets.error = gone;
    EXPECT_EQ(fields.of(kProject, gone == ErrorCode::kNotFound ? "lost" : "damaged").value(), nullptr);
  }
  secrets.error = ErrorCode::kUnavailable;
  EXPECT_EQ(fields.of(kProject, "a").error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(fields.of(kProject, "a").error().code, ErrorCode::kUnavailable);
  secrets.fail = false;
  EXPECT_EQ(fields.of(kProject, "a").value()->ip, "192.0.2.1");
}

}  // namespace
}  // namespace weir::load::testing
