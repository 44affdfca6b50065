#include "weir/trace/live_feed.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "weir/trace/row_filter.h"

namespace weir::trace {
namespace {
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr ProjectId kShop{7};
constexpr ProjectId kBlog{8};

event::Row row_of(ProjectId project, std::string_view name, std::string_view path = "/") {
  event::Row row;
  row.project_id = project;
  row.name = name;
  row.path = path;
  row.country = "DE";
  row.visitor_id = 18'000'000'000'000'000'001u;
  row.p = 1;
  row.o = 812;
  row.ip = "192.0.2.7";
  return row;
}

class LiveFeedTest : public ::testing::Test {
 protected:
  void make(LiveLimits limits = {}) { feed_ = std::make_unique<LiveFeed>(limits, registry_); }
  std::shared_ptr<LiveListener> listen(ProjectId project, bool rows, std::string caller = "a", RowFilter filter = {}) {
    LiveFeed::Wish wish{project, std::move(caller), std::nullopt};
    if (rows) wish.rows = std::move(filter);
    auto made = feed_->listen(std::move(wish), [this] { ++woken_; });
    if (!made) {
      refusal_ = made.error();
      return nullptr;
    }
    return *made;
  }
  // Loads rows as a loader does.
  void load(std::initializer_list<event::Row> rows, bool stored = true) {
    auto batch = feed_->watch();
    if (!batch) return;
    for (const event::Row& row : rows) {
      const size_t number = batch->row(row);
      if (number == event::RowWatch::kNotShown) continue;
      event::VisitColumns visit;
      visit.session_id = 99;
      visit.seq = 3;
      batch->visit(number, visit);
    }
    if (stored) batch->stored();
  }

  metrics::Registry registry_;
  std::unique_ptr<LiveFeed> feed_;
  int woken_ = 0;
  Error refusal_{ErrorCode::kBadInput, ""};
};

TEST_F(LiveFeedTest, NothingIsBuiltWhileNobodyWatchesRows) {
  make();
  EXPECT_EQ(feed_->watch(), nullptr);
  auto counts_only = listen(kShop, false);
  EXPECT_EQ(feed_->watch(), nullptr);
  auto rows = listen(kShop, true);
  EXPECT_NE(feed_->watch(), nullptr);
  rows->leave();
  EXPECT_EQ(feed_->watch(), nullptr);
}

TEST_F(LiveFeedTest, RowsOfTheProjectAreSentOnceTheyAreStored) {
  make();
  auto shop = listen(kShop, true);
  auto blog = listen(kBlog, true);
  EXPECT_EQ(shop->take(), "");
  load({row_of(kShop, "signup")}, false);
  EXPECT_EQ(shop->take(), "");
  load({row_of(kShop, "signup", "/a\n\"b")});
  EXPECT_EQ(woken_, 1);
  const std::string text = shop->take();
  EXPECT_TRUE(text.starts_with("event: row\ndata: {\"event_id\":\"w1-812\",")) << text;
  EXPECT_TRUE(text.ends_with("}\n\n")) << text;
  EXPECT_THAT(text, HasSubstr(R"("visitor_id":"18000000000000000001")"));
  EXPECT_THAT(text, HasSubstr(R"("path":"/a\n\"b")"));
  EXPECT_THAT(text, HasSubstr(R"("session_id":"99","visit_seq":3)"));
  EXPECT_THAT(text, Not(HasSubstr("192.0.2.7")));
  EXPECT_EQ(blog->take(), "");
}

TEST_F(LiveFeedTest, AReaderIsWokenOnlyWhileItWaits) {
  make();
  auto shop = listen(kShop, true);
  EXPECT_FALSE(shop->waits());
  load({row_of(kShop, "one")});
  EXPECT_EQ(woken_, 0);  // it has not asked yet: it will find the row
  EXPECT_NE(shop->take(), "");
  EXPECT_EQ(shop->take(), "");
  EXPECT_TRUE(shop->waits());
  load({row_of(kShop, "two")});
  load({row_of(kShop, "three")});
  EXPECT_EQ(woken_, 1);
  EXPECT_FALSE(shop->waits());
}

TEST_F(LiveFeedTest, OfCountsOnlyTheLatestIsSent) {
  make();
  auto shop = listen(kShop, false);
  feed_->publish(kShop, "now", R"({"visitors":1})");
  feed_->publish(kShop, "now", R"({"visitors":2})");
  feed_->publish(kBlog, "now", R"({"visitors":9})");
  EXPECT_EQ(shop->take(), "event: now\ndata: {\"visitors\":2}\n\n");
}

TEST_F(LiveFeedTest, ASlowReaderIsToldHowManyRowsItMissed) {
  LiveLimits limits;
  limits.rows_per_batch_max = 2;
  limits.waiting_bytes_max = 4'000;
  make(limits);
  auto shop = listen(kShop, true);
  const event::Row row = row_of(kShop, "click");
  load({row, row, row});
  std::string text = shop->take();
  EXPECT_TRUE(text.ends_with("event: skipped\ndata: {\"rows\":1}\n\n")) << text;
  for (int i = 0; i < 20; ++i) load({row, row});
  text = shop->take();
  EXPECT_LE(text.size(), limits.waiting_bytes_max + 100);
  size_t rows = 0;
  for (size_t at = text.find("event: row"); at != std::string::npos; at = text.find("event: row", at + 1)) ++rows;
  EXPECT_GT(rows, 0u);
  EXPECT_TRUE(text.ends_with("event: skipped\ndata: {\"rows\":" + std::to_string(40 - rows) + "}\n\n")) << text;
}

TEST_F(LiveFeedTest, StreamsHaveLimitsPerCallerAndInAll) {
  LiveLimits limits;
  limits.streams_max = 4;
  limits.per_caller_max = 2;
  limits.tails_max = 1;
  make(limits);
  auto first = listen(kShop, true, "a");
  auto second = listen(kShop, false, "a");
  EXPECT_EQ(listen(kShop, false, "a"), nullptr);
  EXPECT_EQ(refusal_.code, ErrorCode::kLimited);
  EXPECT_EQ(listen(kShop, true, "b"), nullptr);
  EXPECT_EQ(refusal_.code, ErrorCode::kOverloaded);
  auto third = listen(kShop, false, "b");
  auto fourth = listen(kBlog, false, "c");
  EXPECT_EQ(listen(kShop, false, "d"), nullptr);
  EXPECT_EQ(refusal_.code, ErrorCode::kOverloaded);
  EXPECT_THAT(feed_->watched(), ElementsAre(kShop, kBlog));
  first->leave();
  EXPECT_NE(listen(kShop, true, "d"), nullptr);
}

TEST_F(LiveFeedTest, ClosingEndsWhoWaits) {
  make();
  auto shop = listen(kShop, false);
  EXPECT_EQ(shop->take(), "");
  feed_->close();
  EXPECT_EQ(woken_, 1);
  EXPECT_TRUE(shop->closed());
  EXPECT_EQ(listen(kShop, false), nullptr);
  EXPECT_EQ(refusal_.code, ErrorCode::kUnavailable);
}

TEST_F(LiveFeedTest, WhoHasLeftIsNotWokenNorCounted) {
  make();
  auto shop = listen(kShop, true);
  EXPECT_EQ(shop->take(), "");
  auto batch = feed_->watch();
  batch->row(row_of(kShop, "late"));
  shop->leave();
  shop->leave();
  batch->stored();
  feed_->close();
  EXPECT_EQ(woken_, 0);
  EXPECT_THAT(feed_->watched(), IsEmpty());
}

bool fits(const event::Row& row, RowFilter::Op op, std::string_view column, std::vector<std::string> values) {
  RowFilter filter;
  EXPECT_TRUE(filter.add(op, column, std::move(values)));
  return filter.fits(row);
}

TEST(RowFilter, HoldsConditionsAgainstColumnsAndProperties) {
  using Op = RowFilter::Op;
  event::Row row = row_of(kShop, "signup", "/pricing");
  row.properties = {{"plan", "pro"}};
  row.traffic = event::Traffic::bot;
  EXPECT_TRUE(fits(row, Op::is, "name", {"login", "signup"}));
  EXPECT_FALSE(fits(row, Op::is, "name", {"Signup"}));
  EXPECT_FALSE(fits(row, Op::is_not, "name", {"login", "signup"}));
  EXPECT_TRUE(fits(row, Op::contains, "path", {"pric"}));
  EXPECT_FALSE(fits(row, Op::contains_not, "path", {"pric"}));
  EXPECT_TRUE(fits(row, Op::is, "properties.plan", {"pro"}));
  EXPECT_TRUE(fits(row, Op::is, "properties.absent", {""}));
  EXPECT_TRUE(fits(row, Op::is, "traffic", {"bot"}));
  EXPECT_TRUE(fits(row, Op::is, "kind", {"event"}));
  EXPECT_TRUE(fits(row, Op::is, "visitor_id", {"18000000000000000001"}));
  RowFilter both;
  ASSERT_TRUE(both.add(Op::is, "name", {"signup"}));
  ASSERT_TRUE(both.add(Op::is, "country", {"FR"}));
  EXPECT_FALSE(both.fits(row));
  EXPECT_TRUE(RowFilter().fits(row));
}

TEST(RowFilter, RefusesWhatItDoesNotKnowAndTooMuch) {
  using Op = RowFilter::Op;
  RowFilter filter;
  EXPECT_FALSE(filter.add(Op::is, "ip", {"1"}));
  EXPECT_FALSE(filter.add(Op::is, "properties.", {"1"}));
  EXPECT_FALSE(filter.add(Op::is, "name", {}));
  EXPECT_FALSE(filter.add(Op::is, "name", std::vector<std::string>(RowFilter::kValuesMax + 1, "x")));
  EXPECT_FALSE(filter.add(Op::is, "name", {std::string(RowFilter::kValueBytesMax + 1, 'x')}));
  for (size_t i = 0; i < RowFilter::kConditionsMax; ++i) EXPECT_TRUE(filter.add(Op::is, "name", {"x"}));
  EXPECT_FALSE(filter.add(Op::is, "name", {"x"}));
  Op op = Op::is;
  EXPECT_TRUE(RowFilter::parse_op("contains_not", op) && op == Op::contains_not);
  EXPECT_FALSE(RowFilter::parse_op("matches", op));
}

}  // namespace
}  // namespace weir::trace
