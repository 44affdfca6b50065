#include "weir/enrich/own_sites.h"

#include <gtest/gtest.h>

#include "weir/enrich/lookup.h"

namespace weir::enrich {
namespace {
using settings::ForeignHostnames;

constexpr ProjectId kShop{7};
constexpr ProjectId kOther{8};

std::shared_ptr<const settings::Snapshot> snapshot_of(ForeignHostnames foreign,
                                                      std::vector<settings::TrafficRule> rules = {}) {
  settings::State state;
  state.projects.resize(2);
  state.projects[0].id = kShop;
  state.projects[0].name = "shop";
  state.projects[0].hostnames = {"*.shop.example", "checkout.test", "localhost"};
  state.projects[0].foreign_hostnames = foreign;
  state.projects[1].id = kOther;
  state.projects[1].name = "other";
  state.rules = std::move(rules);
  return std::make_shared<const settings::Snapshot>(std::move(state));
}

TEST(OwnSites, OnlyHostsThatAreNotOnTheListAreUnwanted) {
  OwnSites sites(*snapshot_of(ForeignHostnames::spam));
  for (const char* host : {"www.shop.example", "a.b.shop.example", "checkout.test", "localhost", ""})
    EXPECT_FALSE(sites.is_unwanted(kShop, host)) << host;
  for (const char* host : {"shop.example", "ashop.example", ".shop.example", "www.checkout.test", "checkout.test.evil",
                           "evil.example", "localhost.evil"})
    EXPECT_TRUE(sites.is_unwanted(kShop, host)) << host;
  EXPECT_FALSE(sites.is_unwanted(kOther, "evil.example"));
  EXPECT_FALSE(OwnSites(*snapshot_of(ForeignHostnames::keep)).is_unwanted(kShop, "evil.example"));
}

TEST(OwnSites, WhoComesFromOneOfThemWasThereBefore) {
  Lookup lookup;
  lookup.use(nullptr, snapshot_of(ForeignHostnames::keep));
  auto source = [&](ProjectId project, std::string_view referrer) {
    Circumstances c;
    c.project = project;
    c.hostname = "www.shop.example";
    c.referrer = referrer;
    const Findings& found = lookup.explain(c);
    return found.source_reason + ": " + std::string(found.source);
  };
  // What is below a host counts as well, as it does for the page's own.
  for (const char* referrer : {"https://checkout.test/pay", "https://www.checkout.test/", "https://shop.example/"})
    EXPECT_EQ(source(kShop, referrer), "own site: ") << referrer;
  EXPECT_EQ(source(kShop, "https://mycheckout.test/"), "referrer: mycheckout.test");
  EXPECT_EQ(source(kOther, "https://checkout.test/pay"), "referrer: checkout.test");
  // They count from the next snapshot on.
  lookup.use(nullptr, std::make_shared<const settings::Snapshot>(settings::State{}));
  EXPECT_EQ(source(kShop, "https://checkout.test/pay"), "referrer: checkout.test");
}

TEST(OwnSites, AForeignPageIsSpamUnlessARuleSaysOtherwise) {
  settings::TrafficRule rule;
  rule.project = kShop;
  rule.kind = settings::RuleKind::hostname;
  rule.value = "staging.example";
  Lookup lookup;
  lookup.use(nullptr, snapshot_of(ForeignHostnames::spam, {rule}));
  auto label = [&](ProjectId project, std::string_view hostname) {
    Circumstances c;
    c.project = project;
    c.hostname = hostname;
    const Findings& found = lookup.find(c);
    return std::string(event::name_of(found.traffic)) + ": " + std::string(found.traffic_reason);
  };
  EXPECT_EQ(label(kShop, "www.shop.example"), "human: ");
  EXPECT_EQ(label(kShop, "evil.example"), "spam: foreign hostname");
  EXPECT_EQ(label(kShop, "staging.example"), "internal: rule: hostname staging.example");
  EXPECT_EQ(label(kShop, ""), "human: ");
  EXPECT_EQ(label(kOther, "evil.example"), "human: ");
}

}  // namespace
}  // namespace weir::enrich
