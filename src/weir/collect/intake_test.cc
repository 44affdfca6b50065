#include "weir/collect/intake.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "weir/base/time_text.h"
#include "weir/collect/testing/fake_secrets.h"

namespace weir::collect {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr UnixMillis kNow = 1'763'629'260'123;  // 2025-11-20T09:01:00.123Z
constexpr UnixMillis kHour = 3'600'000;

UnixMillis at(std::string_view text) {
  UnixMillis t = 0;
  EXPECT_TRUE(parse_time(text, t)) << text;
  return t;
}

TEST(Stamp, WithoutATimeItIsTheTimeOfReceipt) {
  Stamp s = stamp(kNow, std::nullopt, kNow - 10 * kHour);
  EXPECT_EQ(s.time, kNow);
  EXPECT_EQ(s.rule, event::TimeRule::received);
}

TEST(Stamp, TheClientsOwnIsBelieved) {
  for (UnixMillis t :
       {kNow, kNow - 400 * 24 * kHour, kNow + 23 * kHour, kNow + 24 * kHour, at("1990-01-01T00:00:00Z")}) {
    Stamp s = stamp(kNow, t, std::nullopt);
    EXPECT_EQ(s.time, t);
    EXPECT_EQ(s.rule, event::TimeRule::client);
    EXPECT_FALSE(s.too_old);
  }
}

TEST(Stamp, MoreThanADayAheadIsTheTimeOfReceipt) {
  for (UnixMillis t : {kNow + 24 * kHour + 1, at("9999-12-31T23:59:59Z"), parse_epoch_millis("1e300")}) {
    Stamp s = stamp(kNow, t, std::nullopt);
    EXPECT_EQ(s.time, kNow);
    EXPECT_EQ(s.rule, event::TimeRule::clamped);
    EXPECT_FALSE(s.too_old);
  }
}

TEST(Stamp, BeforeNinetyNinetyIsTooOld) {
  for (UnixMillis t : {at("1989-12-31T23:59:59.999Z"), at("0000-01-01T00:00:00Z"), UnixMillis{-1},
                       UnixMillis{1'763'629'260}, parse_epoch_millis("-1e300")}) {
    EXPECT_TRUE(stamp(kNow, t, std::nullopt).too_old) << t;
  }
}

TEST(Stamp, AClockThatIsFarOffIsCorrected) {
  // Ten hours ahead: sent at 19:01, happened a minute before that.
  Stamp s = stamp(kNow, kNow + 10 * kHour - 60'000, kNow + 10 * kHour);
  EXPECT_EQ(s.time, kNow - 60'000);
  EXPECT_EQ(s.rule, event::TimeRule::client);
  // A device that thinks it is 1970.
  EXPECT_EQ(stamp(kNow, 5'000, 7'000).time, kNow - 2'000);
  EXPECT_FALSE(stamp(kNow, 5'000, 7'000).too_old);
  // Years ahead, both.
  EXPECT_EQ(stamp(kNow, at("9999-01-01T00:00:00Z"), at("9999-01-01T00:01:00Z")).time, kNow - 60'000);
}

TEST(Stamp, AClockThatIsNearlyRightIsBelieved) {
  EXPECT_EQ(stamp(kNow, kNow - 200'000, kNow - 150'000).time, kNow - 200'000);
  EXPECT_EQ(stamp(kNow, kNow + 100'000, kNow + 150'000).time, kNow + 100'000);
  EXPECT_EQ(stamp(kNow, kNow - 200'000, kNow - 150'001).time, kNow - 49'999);
}

TEST(Stamp, ASendingTimeThatMakesNoSenseMakesTheEventTooOld) {
  EXPECT_TRUE(stamp(kNow, kNow, at("9999-12-31T23:59:59Z")).too_old);
  EXPECT_EQ(stamp(kNow, kNow, at("0000-01-01T00:00:00Z")).rule, event::TimeRule::clamped);
}

class IntakeTest : public ::testing::Test {
 protected:
  IntakeTest() {
    project_.id = ProjectId{7};
    project_.name = "app";
    sender_ = {"192.0.2.1", "Mozilla/5.0", R"({"sec-ch-ua-mobile":"?0"})", "de", true};
    sent_.event.name = "t";
  }
  std::string last_record() {
    std::string_view bytes = records_.bytes();
    std::string record;
    while (!bytes.empty()) {
      auto size = load_le<uint32_t>(bytes.data());
      record = bytes.substr(4, size);
      bytes.remove_prefix(4 + size);
    }
    return record;
  }

  testing::FakeSecrets secrets_;
  settings::Personal sender_;
  settings::Project project_;
  SentEvent sent_;
  journal::Records records_;
};

TEST_F(IntakeTest, TheRecordSaysWhoByWhichDoorAndWhen) {
  Intake intake(secrets_, sender_, kNow, "native");
  sent_.client_time = kNow - 5;
  ASSERT_EQ(intake.add(project_, sent_, records_), Intake::Verdict::accepted);
  std::string record = last_record();
  EXPECT_THAT(
      record,
      HasSubstr(
          R"("project_id":"7","name":"t","received_at":1763629260123,"time":1763629260118,"time_rule":"client","visitor":")"));
  EXPECT_THAT(
      record,
      HasSubstr(
          R"("protocol":"native","personal":{"day":"2025-11-20","ip":"192.0.2.1","user_agent":"Mozilla/5.0","hints":{"sec-ch-ua-mobile":"?0"},"accept_language":"de","gpc":true}})"));
}

TEST_F(IntakeTest, OnlyWhoHasNoIdGetsAVisitor) {
  Intake intake(secrets_, sender_, kNow, "native");
  sent_.event.user_id = "1";
  intake.add(project_, sent_, records_);
  EXPECT_THAT(last_record(), Not(HasSubstr("visitor")));
  sent_.event.user_id = {};
  sent_.event.anonymous_id = "a";
  intake.add(project_, sent_, records_);
  EXPECT_THAT(last_record(), Not(HasSubstr("visitor")));
  sent_.event.anonymous_id = {};
  intake.add(project_, sent_, records_);
  EXPECT_THAT(last_record(), HasSubstr("visitor"));
}

TEST_F(IntakeTest, ARequestIsSealedOnce) {
  Intake intake(secrets_, sender_, kNow, "native");
  for (int i = 0; i < 100; ++i) ASSERT_EQ(intake.add(project_, sent_, records_), Intake::Verdict::accepted);
  EXPECT_EQ(secrets_.seals, 1);
  project_.id = ProjectId{8};
  intake.add(project_, sent_, records_);
  EXPECT_EQ(secrets_.seals, 2);
}

TEST_F(IntakeTest, AServersOwnRequestSaysNothingOfTheVisitorItNames) {
  Intake intake(secrets_, sender_, kNow, "native");
  sent_.ip = "203.0.113.9";
  intake.add(project_, sent_, records_);
  EXPECT_THAT(last_record(),
              HasSubstr(R"("ip":"203.0.113.9","user_agent":"","hints":{},"accept_language":"","gpc":false)"));
  sent_.ip = {};
  sent_.user_agent = "Theirs";
  intake.add(project_, sent_, records_);
  EXPECT_THAT(last_record(), HasSubstr(R"("ip":"","user_agent":"Theirs","hints":{})"));
}

TEST_F(IntakeTest, WhatIsOlderThanTheRetentionIsDropped) {
  Intake intake(secrets_, sender_, kNow, "native");
  project_.retention_days = 30;
  sent_.client_time = kNow - 30 * 24 * kHour;
  EXPECT_EQ(intake.add(project_, sent_, records_), Intake::Verdict::accepted);
  sent_.client_time = kNow - 30 * 24 * kHour - 1;
  EXPECT_EQ(intake.add(project_, sent_, records_), Intake::Verdict::dropped);
  EXPECT_EQ(name_of(intake.drop_reason()), "retention");
  EXPECT_EQ(records_.count(), 1U);
}

TEST_F(IntakeTest, WhoDoesNotWantToBeCountedIsNotWhereTheProjectRespectsIt) {
  for (DropReason signal : {DropReason::gpc, DropReason::dnt}) {
    Intake intake(secrets_, sender_, kNow, "native", signal);
    project_.privacy_signals = settings::PrivacySignals::ignore;
    EXPECT_EQ(intake.add(project_, sent_, records_), Intake::Verdict::accepted);
    project_.privacy_signals = settings::PrivacySignals::respect;
    EXPECT_EQ(intake.add(project_, sent_, records_), Intake::Verdict::dropped);
    EXPECT_EQ(intake.drop_reason(), signal);
    // What a server's own request says is not said by the visitor it names.
    sent_.user_agent = "Theirs";
    EXPECT_EQ(intake.add(project_, sent_, records_), Intake::Verdict::accepted);
    sent_.user_agent = {};
  }
  Intake intake(secrets_, sender_, kNow, "native");
  EXPECT_EQ(intake.add(project_, sent_, records_), Intake::Verdict::accepted);
  EXPECT_EQ(records_.count(), 5U);
}

TEST_F(IntakeTest, WhatIsTooOldIsRejectedWhateverTheRetention) {
  Intake intake(secrets_, sender_, kNow, "native");
  project_.retention_days = 30;
  sent_.client_time = 0;
  EXPECT_EQ(intake.add(project_, sent_, records_), Intake::Verdict::rejected);
  EXPECT_THAT(std::string(intake.why()), HasSubstr("`timestamp`: before 1990-01-01"));
  EXPECT_TRUE(records_.empty());
}

TEST_F(IntakeTest, WithoutAKeyNothingIsTaken) {
  secrets_.fail = true;
  Intake intake(secrets_, sender_, kNow, "native");
  EXPECT_EQ(intake.add(project_, sent_, records_), Intake::Verdict::failed);
  sent_.event.user_id = "1";
  EXPECT_EQ(intake.add(project_, sent_, records_), Intake::Verdict::failed);
  EXPECT_EQ(intake.error().code, ErrorCode::kUnavailable);
  EXPECT_TRUE(records_.empty());
}

TEST_F(IntakeTest, WhoSaysNothingOfThemselvesHasNothingSealed) {
  settings::Personal nobody;
  Intake intake(secrets_, nobody, kNow, "native");
  sent_.event.user_id = "1";
  ASSERT_EQ(intake.add(project_, sent_, records_), Intake::Verdict::accepted);
  EXPECT_THAT(last_record(), Not(HasSubstr("personal")));
}

}  // namespace
}  // namespace weir::collect
