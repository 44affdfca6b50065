#include "weir/enrich/source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "weir/enrich/testing/recorded.h"

namespace weir::enrich {
namespace {
using ::testing::HasSubstr;

PublicSuffixes suffixes() {
  auto loaded = PublicSuffixes::load(enrich::testing::suffix_list());
  EXPECT_TRUE(loaded) << loaded.error().message;
  return std::move(*loaded);
}

std::shared_ptr<const Sources> load(std::string_view table, std::string_view overrides = "",
                                    std::string_view spam = "") {
  auto loaded = Sources::load({table, overrides, spam}, suffixes());
  EXPECT_TRUE(loaded) << loaded.error().message;
  return std::make_shared<const Sources>(std::move(*loaded));
}

std::string error_of(std::string_view table, std::string_view spam = "") {
  auto loaded = Sources::load({table, "", spam}, suffixes());
  return loaded ? "" : loaded.error().message;
}

// weir's own table, asked about pages of www.shop.example.
class SourceTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { sources_ = load(built_in_sources()); }
  static void TearDownTestSuite() { sources_.reset(); }

  // `source | medium | channel`
  std::string asked(SourceQuestion question) {
    if (question.hostname.empty()) question.hostname = "www.shop.example";
    SourceAnswer a = finder_.find(question);
    return std::string(a.source) + " | " + std::string(a.medium) + " | " + std::string(a.channel);
  }
  std::string referred(std::string_view referrer) { return asked({.referrer = referrer}); }
  std::string reason(SourceQuestion question) {
    if (question.hostname.empty()) question.hostname = "www.shop.example";
    return std::string(finder_.find(question).reason);
  }

  static std::shared_ptr<const Sources> sources_;
  SourceFinder finder_{sources_};
};
std::shared_ptr<const Sources> SourceTest::sources_;

TEST_F(SourceTest, TheBuiltInTableLoads) {
  EXPECT_GT(sources_->sites(), 500u);
  EXPECT_EQ(sources_->spam_hosts(), 0u);
}

TEST_F(SourceTest, KnowsSitesByHostPathAndFamily) {
  EXPECT_EQ(referred("https://www.google.com/"), "Google | search | Organic Search");
  EXPECT_EQ(referred("https://www.google.co.uk/search?q=a"), "Google | search | Organic Search");
  EXPECT_EQ(referred("https://google.com.br"), "Google | search | Organic Search");
  EXPECT_EQ(referred("https://www.google.de/imgres?imgurl=x"), "Google Images | search | Organic Search");
  EXPECT_EQ(referred("https://www.google.de/imgresult"), "Google | search | Organic Search");
  EXPECT_EQ(referred("https://images.google.fr/"), "Google Images | search | Organic Search");
  EXPECT_EQ(referred("https://news.google.com/articles/x"), "Google News | news | Referral");
  EXPECT_EQ(referred("https://de.search.yahoo.com/"), "Yahoo! | search | Organic Search");
  EXPECT_EQ(referred("https://eu10.mail.yahoo.net/"), "Yahoo! Mail | email | Email");
  EXPECT_EQ(referred("https://duckduckgo.com/"), "DuckDuckGo | search | Organic Search");
  EXPECT_EQ(referred("https://x.com/i/grok?conversation=1"), "Grok | ai | AI Assistants");
  EXPECT_EQ(referred("https://x.com/i/grok/share/1"), "Grok | ai | AI Assistants");
  EXPECT_EQ(referred("https://x.com/somebody"), "Twitter | social | Organic Social");
  EXPECT_EQ(referred("https://t.co/abc"), "Twitter | social | Organic Social");
  EXPECT_EQ(referred("https://l.facebook.com/l.php?u=x"), "Facebook | social | Organic Social");
  EXPECT_EQ(referred("https://out.reddit.com/x"), "Reddit | social | Organic Social");
  EXPECT_EQ(referred("https://go.bsky.app/redirect?u=x"), "Bluesky | social | Organic Social");
  EXPECT_EQ(referred("https://www.youtube.com/watch?v=1"), "YouTube | video | Organic Video");
  EXPECT_EQ(referred("https://deref-gmx.net/mail"), "GMX | email | Email");
  EXPECT_EQ(referred("https://www.amazon.co.jp/dp/1"), "Amazon | shopping | Organic Shopping");
  EXPECT_EQ(referred("https://pagead2.googlesyndication.com"), "Google Ads | paid | Display");
  EXPECT_EQ(referred("https://open.spotify.com/"), "Spotify | audio | Audio");
  EXPECT_EQ(referred("https://en.m.wikipedia.org/wiki/Weir"), "Wikipedia | referral | Referral");
}

TEST_F(SourceTest, AFamilyIsNotWhateverBeginsLikeIt) {
  EXPECT_EQ(referred("https://google.evil.example/"), "google.evil.example | referral | Referral");
  EXPECT_EQ(referred("https://google.com.evil.example/"), "google.com.evil.example | referral | Referral");
  EXPECT_EQ(referred("https://notgoogle.com/"), "notgoogle.com | referral | Referral");
  EXPECT_EQ(referred("https://mygoogle.co.uk/"), "mygoogle.co.uk | referral | Referral");
}

TEST_F(SourceTest, KnowsApps) {
  EXPECT_EQ(referred("android-app://com.google.android.gm/"), "Gmail | email | Email");
  EXPECT_EQ(referred("ANDROID-APP://com.Google.android.gm"), "Gmail | email | Email");
  EXPECT_EQ(referred("android-app://com.google.android.googlequicksearchbox/https/www.google.com"),
            "Google | search | Organic Search");
  EXPECT_EQ(referred("android-app://org.example.reader/"), "android-app://org.example.reader | referral | Referral");
  EXPECT_EQ(referred("ios-app://544007664/x"), "YouTube | video | Organic Video");
  EXPECT_EQ(referred("android-app://com.google.*/"), " |  | Direct");
  std::string longest;
  for (int i = 0; i < 62; ++i) longest += "abc.";
  EXPECT_EQ(referred("android-app://" + longest + "d/"), " |  | Direct");
  EXPECT_EQ(referred("https://" + longest + "d/"), longest + "d | referral | Referral");
}

TEST_F(SourceTest, AnUnknownReferrerIsItsHostWithoutWww) {
  EXPECT_EQ(referred("https://www.blog.example.co.uk/a?b=c"), "blog.example.co.uk | referral | Referral");
  EXPECT_EQ(referred("HTTPS://Blog.Example.COM:8443/A"), "blog.example.com | referral | Referral");
  EXPECT_EQ(referred("https://user:pw@blog.example.com./"), "blog.example.com | referral | Referral");
  EXPECT_EQ(referred("//blog.example.com/x"), "blog.example.com | referral | Referral");
  EXPECT_EQ(referred("blog.example.com/x?y"), "blog.example.com | referral | Referral");
  EXPECT_EQ(referred("  https://blog.example.com/\n"), "blog.example.com | referral | Referral");
  EXPECT_EQ(referred("https://xn--bcher-kva.example/"), "xn--bcher-kva.example | referral | Referral");
  EXPECT_EQ(referred("http://intranet/wiki"), "intranet | referral | Referral");
  EXPECT_EQ(referred("https://www.com/"), "www.com | referral | Referral");
  EXPECT_EQ(referred("http://203.0.113.7/x"), "203.0.113.7 | referral | Referral");
  EXPECT_EQ(referred("http://[2001:db8::1]:80/x"), "2001:db8::1 | referral | Referral");
  std::string deep = "https://";
  for (int i = 0; i < 100; ++i) deep += "a.";
  EXPECT_THAT(referred(deep + "google.com/"), HasSubstr("Google |"));
}

TEST_F(SourceTest, WhatIsNoAddressIsNoReferrer) {
  for (std::string_view junk : {"about:blank",
                                "javascript:void(0)",
                                "javascript:alert(1.5)",
                                "data:text/html,a.b",
                                "file:///C:/a.html",
                                "-",
                                "null",
                                "/path/only",
                                "https://",
                                "https:///x",
                                "http://?",
                                "chrome-extension://abcdef/x.html",
                                "mailto:a@b.com",
                                "a@b.com",
                                "http://a..b/",
                                "http://.example.com/",
                                "http://exa mple.com/",
                                "http://exa\"mple.com/",
                                "http://localhost:3000/x",
                                "http://app.localhost/",
                                "http://127.0.0.1/x",
                                "http://[::1]/",
                                "http://[::1/",
                                "http://1.2.3/",
                                "http://1.2.3.4.5/",
                                "http://300.1.1.1/",
                                "http://a.123/",
                                "http://%65xample.com/"}) {
    EXPECT_EQ(referred(junk), " |  | Direct") << junk;
    EXPECT_EQ(reason({.referrer = junk}), "referrer not understood") << junk;
  }
  EXPECT_EQ(referred("https://" + std::string(300, 'a') + ".com/"), " |  | Direct");
  EXPECT_EQ(referred("https://" + std::string(64, 'a') + ".com/"), " |  | Direct");
  EXPECT_EQ(referred("https://a\xff.com/"), " |  | Direct");
  using namespace std::string_view_literals;
  EXPECT_EQ(referred("http://[2001:db8::1\0\xa0]/"sv), " |  | Direct");
  EXPECT_EQ(referred("https://www.google.com/" + std::string(100'000, 'x')), "Google | search | Organic Search");
  EXPECT_EQ(reason({}), "no referrer");
  EXPECT_EQ(reason({.referrer = "  "}), "no referrer");
}

TEST_F(SourceTest, TheOwnSiteIsNoSource) {
  auto own = [&](std::string_view referrer, std::string_view hostname) {
    return reason({.referrer = referrer, .hostname = hostname}) == "own site";
  };
  EXPECT_TRUE(own("https://www.shop.example/a", "www.shop.example"));
  EXPECT_TRUE(own("https://SHOP.example/a", "www.shop.example"));
  EXPECT_TRUE(own("https://checkout.shop.co.uk/a", "www.shop.co.uk"));
  EXPECT_FALSE(own("https://other.co.uk/a", "www.shop.co.uk"));
  EXPECT_FALSE(own("https://myshop.co.uk/a", "shop.co.uk"));
  // Neighbours under a private suffix have nothing to do with each other.
  EXPECT_FALSE(own("https://bob.github.io/a", "alice.github.io"));
  EXPECT_TRUE(own("https://alice.github.io/a", "alice.github.io"));
  EXPECT_TRUE(own("https://www.alice.github.io/a", "alice.github.io"));
  // Addresses and names without a suffix: only themselves.
  EXPECT_TRUE(own("http://localhost:3000/a", "localhost"));
  EXPECT_TRUE(own("http://10.0.0.1/", "10.0.0.1"));
  EXPECT_FALSE(own("http://20.0.0.1/", "10.0.0.1"));
  EXPECT_TRUE(own("http://[2001:db8::1]/", "2001:db8::1"));
  EXPECT_EQ(asked({.referrer = "https://shop.example/a"}), " |  | Direct");

  std::vector<std::string> more = {"shop.test"};
  EXPECT_EQ(reason({.referrer = "https://pay.shop.test/", .own_hostnames = more}), "own site");
  EXPECT_EQ(reason({.referrer = "https://payshop.test/", .own_hostnames = more}), "referrer");
  // What the link says counts on the own site, too.
  EXPECT_EQ(asked({.referrer = "https://shop.example/a", .utm_source = "newsletter", .utm_medium = "email"}),
            "Newsletter | email | Email");
  // Many sites, more than are remembered, do not get into each other's way.
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 200; ++i) {
      std::string name = "site" + std::to_string(i) + ".co.uk";
      EXPECT_TRUE(own("https://a." + name, "b." + name));
      EXPECT_FALSE(own("https://a.x" + name, "b." + name));
    }
  }
}

// What is remembered of a referrer does not depend on the page it led to, nor on what came before.
TEST_F(SourceTest, RemembersReferrersRightly) {
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(reason({.referrer = "https://a.example/", .hostname = "a.example"}), "own site");
    EXPECT_EQ(reason({.referrer = "https://a.example/", .hostname = "b.example"}), "referrer");
    EXPECT_EQ(reason({.referrer = "http://localhost/", .hostname = "localhost"}), "own site");
    EXPECT_EQ(reason({.referrer = "http://localhost/", .hostname = "b.example"}), "referrer not understood");
    for (int i = 0; i < 1'000; ++i) {
      std::string name = "s" + std::to_string(i) + ".example";
      EXPECT_EQ(referred("https://" + name + "/"), name + " | referral | Referral");
      EXPECT_EQ(referred("https://www.google.de/" + std::to_string(i)), "Google | search | Organic Search");
    }
    std::string tail(300, 'x');
    EXPECT_EQ(referred("https://t.co/" + tail), "Twitter | social | Organic Social");
    EXPECT_EQ(referred("https://bsky.app/" + tail), "Bluesky | social | Organic Social");
  }
}

TEST_F(SourceTest, TagsGoBeforeTheReferrer) {
  EXPECT_EQ(asked({.referrer = "https://www.google.com/", .utm_source = "fb"}), "Facebook | social | Organic Social");
  EXPECT_EQ(asked({.utm_source = "IG"}), "Instagram | social | Organic Social");
  EXPECT_EQ(asked({.utm_source = " Google "}), "Google | search | Organic Search");
  EXPECT_EQ(asked({.utm_source = "twitter"}), "Twitter | social | Organic Social");
  EXPECT_EQ(asked({.utm_source = "Hacker News"}), "Hacker News | social | Organic Social");
  EXPECT_EQ(asked({.utm_source = "chatgpt.com"}), "ChatGPT | ai | AI Assistants");
  EXPECT_EQ(asked({.utm_source = "m.facebook.com"}), "Facebook | social | Organic Social");
  EXPECT_EQ(asked({.utm_source = "www.perplexity.ai"}), "Perplexity | ai | AI Assistants");
  EXPECT_EQ(asked({.utm_source = "google", .utm_medium = "CPC"}), "Google | cpc | Paid Search");
  EXPECT_EQ(asked({.utm_source = "facebook", .utm_medium = "paid_social"}), "Facebook | paid_social | Paid Social");
  EXPECT_EQ(asked({.utm_source = "fb-ads"}), "Facebook | cpc | Paid Social");
  EXPECT_EQ(asked({.utm_source = "adwords"}), "Google | cpc | Paid Search");
  EXPECT_EQ(asked({.utm_source = "Google Ads"}), "Google | cpc | Paid Search");
  EXPECT_EQ(asked({.utm_source = "threads"}), "Threads | social | Organic Social");  // ends in `ads` as well
  EXPECT_EQ(asked({.utm_source = "e mail"}), "Email | email | Email");
  EXPECT_EQ(asked({.utm_source = "youtube", .utm_medium = "cpv"}), "YouTube | cpv | Paid Video");
  EXPECT_EQ(asked({.utm_source = "Partner X"}), "Partner X | referral | Referral");
  EXPECT_EQ(asked({.utm_source = "partner-weekly-newsletter"}), "partner-weekly-newsletter | referral | Email");
  EXPECT_EQ(asked({.utm_source = "unread"}), "unread | referral | Referral");  // ends in `ad` and means nothing
  EXPECT_EQ(asked({.referrer = "https://mail.google.com/", .utm_medium = "email"}), "Gmail | email | Email");
  EXPECT_EQ(asked({.utm_medium = "email"}), " | email | Email");
  EXPECT_EQ(asked({.utm_medium = "(none)"}), " |  | Direct");
  EXPECT_EQ(asked({.utm_campaign = "spring"}), " |  | Direct");
  EXPECT_EQ(asked({.referrer = "https://www.google.com/", .utm_source = "(direct)"}),
            "Google | search | Organic Search");
  EXPECT_EQ(asked({.utm_source = "(not set)"}), " |  | Direct");
  std::string longest = asked({.utm_source = std::string(199, 'a') + "\xc3\xa4", .utm_medium = std::string(150, 'm')});
  EXPECT_EQ(longest, std::string(199, 'a') + " | " + std::string(100, 'm') + " | Referral");
}

TEST_F(SourceTest, ClickIdsNameTheNetworkAndSayWhatWasPaid) {
  EXPECT_EQ(asked({.click_id = "gclid:Cj0"}), "Google | cpc | Paid Search");
  for (std::string_view id : {"gbraid:1", "wbraid:1", "gclid"})
    EXPECT_EQ(asked({.referrer = "https://news.example/", .click_id = id}), "Google | cpc | Paid Search");
  EXPECT_EQ(asked({.referrer = "https://m.youtube.com/", .click_id = "gclid:1"}), "YouTube | cpc | Paid Video");
  EXPECT_EQ(asked({.click_id = "msclkid:1"}), "Bing | cpc | Paid Search");
  EXPECT_EQ(asked({.referrer = "https://duckduckgo.com/", .click_id = "msclkid:1"}), "DuckDuckGo | cpc | Paid Search");
  EXPECT_EQ(asked({.click_id = "dclid:1"}), "Google | display | Display");
  EXPECT_EQ(asked({.click_id = "ttclid:1"}), "TikTok | cpc | Paid Social");
  EXPECT_EQ(asked({.click_id = "twclid:1"}), "Twitter | cpc | Paid Social");
  EXPECT_EQ(asked({.click_id = "li_fat_id:1"}), "LinkedIn | cpc | Paid Social");
  EXPECT_EQ(asked({.click_id = "yclid:1"}), "Yandex | cpc | Paid Search");
  // On every link of Facebook's, and carried along when such a link is passed on.
  EXPECT_EQ(asked({.click_id = "fbclid:1"}), "Facebook | social | Organic Social");
  EXPECT_EQ(asked({.referrer = "https://l.instagram.com/", .click_id = "fbclid:1"}),
            "Instagram | social | Organic Social");
  EXPECT_EQ(asked({.referrer = "https://t.co/x", .click_id = "fbclid:1"}), "Twitter | social | Organic Social");
  EXPECT_EQ(asked({.utm_source = "fb", .utm_medium = "paid", .click_id = "fbclid:1"}), "Facebook | paid | Paid Social");
  // With tags: they name the source, the click id says that it was paid; unless the medium says something else.
  EXPECT_EQ(asked({.utm_source = "bing", .click_id = "msclkid:1"}), "Bing | cpc | Paid Search");
  EXPECT_EQ(asked({.utm_source = "tiktok", .utm_medium = "social", .click_id = "ttclid:1"}),
            "TikTok | social | Paid Social");
  EXPECT_EQ(asked({.utm_source = "news", .utm_medium = "email", .click_id = "gclid:1"}), "news | email | Email");
  EXPECT_EQ(asked({.utm_source = "google", .utm_medium = "display", .click_id = "gclid:1"}),
            "Google | display | Display");
  EXPECT_EQ(asked({.referrer = "https://www.google.com/", .click_id = "unknown:1"}),
            "Google | search | Organic Search");
}

TEST(Channel, FollowsTheTable) {
  struct Case {
    ChannelQuestion question;
    std::string_view channel;
  };
  const Case cases[] = {
      {{}, "Direct"},
      {{.source = Medium::referral}, "Referral"},
      {{.source = Medium::news}, "Referral"},
      {{.utm_medium = "referral"}, "Referral"},
      {{.utm_medium = "link"}, "Referral"},
      {{.utm_medium = "whatever"}, "Direct"},
      {{.source = Medium::referral, .utm_medium = "organic"}, "Organic Search"},
      {{.source = Medium::social, .utm_medium = "organic"}, "Organic Social"},
      {{.source = Medium::search, .utm_campaign = "2026-cross-network-a"}, "Cross-network"},
      {{.source = Medium::search, .utm_medium = "cpc", .utm_campaign = "summer-shop"}, "Paid Shopping"},
      {{.source = Medium::shopping, .utm_medium = "ppc"}, "Paid Shopping"},
      {{.source = Medium::shopping}, "Organic Shopping"},
      {{.source = Medium::search, .utm_medium = "cpc", .utm_campaign = "workshops"}, "Paid Search"},
      {{.source = Medium::referral, .utm_campaign = "eshop"}, "Organic Shopping"},
      {{.source = Medium::referral, .utm_medium = "email", .utm_campaign = "shopping"}, "Email"},
      {{.source = Medium::referral, .utm_medium = "cpm"}, "Display"},
      {{.source = Medium::social, .utm_medium = "cpm"}, "Paid Social"},
      {{.source = Medium::referral, .utm_medium = "banner"}, "Display"},
      {{.source = Medium::search, .utm_medium = "display"}, "Display"},
      {{.source = Medium::referral, .utm_medium = "paid"}, "Paid Other"},
      {{.source = Medium::ai, .utm_medium = "cpc"}, "Paid Other"},
      {{.source = Medium::referral, .utm_medium = "paidsocial"}, "Paid Social"},
      {{.source = Medium::referral, .utm_medium = "paid-search"}, "Paid Search"},
      {{.source = Medium::referral, .utm_medium = "paid_video"}, "Paid Video"},
      {{.utm_medium = "retargeting"}, "Paid Other"},
      {{.utm_medium = "affiliate"}, "Affiliates"},
      {{.utm_medium = "audio"}, "Audio"},
      {{.utm_medium = "sms"}, "SMS"},
      {{.source = Medium::sms}, "SMS"},
      {{.utm_medium = "web-push"}, "Mobile Push Notifications"},
      {{.utm_medium = "mobile"}, "Mobile Push Notifications"},
      {{.source = Medium::push}, "Mobile Push Notifications"},
      {{.utm_medium = "e-mail"}, "Email"},
      {{.utm_medium = "newsletter"}, "Email"},
      {{.utm_source = "our_newsletter"}, "Email"},
      {{.source = Medium::referral, .utm_medium = "social-media"}, "Organic Social"},
      {{.source = Medium::referral, .utm_medium = "video"}, "Organic Video"},
      {{.source = Medium::email, .paid_click = true, .utm_medium = "email"}, "Email"},
      {{.source = Medium::ai}, "AI Assistants"},
      {{.source = Medium::paid}, "Display"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(channel_of(c.question), c.channel)
        << name_of(c.question.source) << " " << c.question.utm_medium << " " << c.question.utm_campaign;
  }
}

TEST(Sources, SpamIsFoundByHostAndParents) {
  auto sources = load("search  Google\n  google.*\n", "",
                      "# a list\n\nspam.example\n  Casino.TEST  # comment\nads.news.example\nspam.example\n");
  EXPECT_EQ(sources->spam_hosts(), 3u);
  SourceFinder finder(sources);
  auto spam = [&](std::string_view referrer, std::string_view hostname = "me.example.net") {
    return std::string(finder.find({.referrer = referrer, .hostname = hostname}).spam);
  };
  EXPECT_EQ(spam("https://spam.example/"), "referrer spam: spam.example");
  EXPECT_EQ(spam("https://www.SPAM.example:80/a?b"), "referrer spam: spam.example");
  EXPECT_EQ(spam("http://a.b.casino.test"), "referrer spam: casino.test");
  EXPECT_EQ(spam("https://ads.news.example/"), "referrer spam: ads.news.example");
  EXPECT_EQ(spam("https://news.example/"), "");
  EXPECT_EQ(spam("https://notspam.example/"), "");
  EXPECT_EQ(spam("https://spam.example/", "www.spam.example"), "");  // a listed site's own pages
  EXPECT_EQ(spam("https://www.google.com/"), "");
  EXPECT_EQ(finder.find({.referrer = "https://spam.example/", .utm_source = "x"}).spam, "referrer spam: spam.example");
}

TEST(Sources, TheOperatorsPatternsGoFirst) {
  auto sources = load(
      "search  Google\n  google.* click:gclid utm:g\nsocial  Forum\n  forum.example\nreferral  Bank\n  bank.example\n",
      "social  Our Forum\n  forum.example utm:g\nnone  passed through\n  bank.example\nshopping  Google\n  "
      "google.com/shop\n");
  SourceFinder finder(sources);
  auto find = [&](SourceQuestion q) { return finder.find(q); };
  EXPECT_EQ(find({.referrer = "https://forum.example/"}).source, "Our Forum");
  EXPECT_EQ(find({.utm_source = "g"}).source, "Our Forum");
  EXPECT_EQ(find({.referrer = "https://google.com/"}).medium, "search");
  EXPECT_EQ(find({.referrer = "https://google.com/shop/x"}).medium, "shopping");
  EXPECT_EQ(find({.click_id = "gclid:1"}).source, "Google");
  EXPECT_EQ(find({.referrer = "https://bank.example/"}).channel, "Direct");
  EXPECT_EQ(find({.referrer = "https://bank.example/"}).reason, "referrer passed over");
}

TEST(Sources, SayWhatIsWrongAndWhere) {
  EXPECT_EQ(error_of("search  A\n  a.com\n\nserach  B\n"),
            "enrich: sources: line 4: `serach`: no medium; expected one such as search, social, referral");
  EXPECT_EQ(error_of("  a.com\n"), "enrich: sources: line 1: `a.com`: patterns before the first source");
  EXPECT_EQ(error_of("search\n"), "enrich: sources: line 1: `search`: the source has no name");
  EXPECT_EQ(error_of("search  A\n  a.com\n  b.com a.com\n"),
            "enrich: sources: line 3: `a.com`: stands there already (line 2)");
  EXPECT_EQ(error_of("search  A\n  a.com\nsocial  A\n"), "enrich: sources: line 3: `A`: stands there already (line 1)");
  EXPECT_THAT(error_of("search  A\n  a.*.com\n"), HasSubstr("line 2: `a.*.com`: not a host"));
  EXPECT_THAT(error_of("search  A\n  https://a.com\n"), HasSubstr("line 2: `https://a.com`: not a host"));
  EXPECT_THAT(error_of("search  \xff\n"), HasSubstr("not UTF-8"));
  EXPECT_THAT(error_of("", "a.example\nhttp://b.example/\n"), HasSubstr("spam list: line 2: `http://b.example/`"));
  auto large = Sources::load({"", "", std::string(kSourceListBytesMax + 1, '\n')}, suffixes());
  ASSERT_FALSE(large);
  EXPECT_EQ(large.error().code, ErrorCode::kTooLarge);
  EXPECT_EQ(error_of(""), "");
}

TEST(PublicSuffixes, FindsWhatIsRegistered) {
  PublicSuffixes list = suffixes();
  EXPECT_EQ(list.registrable("www.example.co.uk"), "example.co.uk");
  EXPECT_EQ(list.registrable("a.alice.github.io"), "alice.github.io");
  for (std::string_view none :
       {"", "com", "co.uk", "github.io", "1.2.3.4", "2001:db8::1", "localhost", ".com", "a:b.com"})
    EXPECT_EQ(list.registrable(none), "") << none;
  EXPECT_EQ(list.registrable(std::string(300, 'a') + ".com"), "");
  EXPECT_EQ(PublicSuffixes::load("").error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(PublicSuffixes::load("// no rule\n").error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(PublicSuffixes().registrable("www.example.com"), "");
}

// ---- what others worked out -----------------------------------------------------------------------------------------

std::string recorded(const std::string& path) {
  const char* root = std::getenv("WEIR_TEST_DATA");
  if (root == nullptr) return "";
  std::ifstream file(std::string(root) + "/data/" + path, std::ios::binary);
  std::stringstream content;
  content << file.rdbuf();
  return content.str();
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

TEST_F(SourceTest, AgreesWithSnowplowOnTheMedium) {
  std::string text = recorded("referrers/snowplow-tests.json");
  if (text.empty()) GTEST_SKIP() << "no recorded data";
  simdjson::dom::parser parser;
  simdjson::dom::array cases;
  ASSERT_EQ(parser.parse(text).get(cases), simdjson::SUCCESS);
  size_t right = 0;
  std::string misses;
  for (simdjson::dom::element test : cases) {
    std::string_view uri = test["uri"].get_string().value();
    std::string_view wanted = test["medium"].get_string().value();
    if (wanted == "chatbot") wanted = "ai";
    SourceAnswer answer = finder_.find({.referrer = uri, .hostname = "www.shop.example"});
    if (answer.medium == wanted)
      ++right;
    else
      misses += "  " + std::string(uri.substr(0, 80)) + ": " + std::string(wanted) + ", here " +
                std::string(answer.source) + ", " + std::string(answer.medium) + "\n";
  }
  std::cout << "snowplow: " << right << " of " << cases.size() << "\n" << misses;
  EXPECT_GE(right * 100, cases.size() * 95) << misses;
}

// Name by name, the hosts of one of Matomo's lists; `{}` stands for a country.
std::vector<std::pair<std::string, std::string>> matomo_hosts(const std::string& file) {
  std::vector<std::pair<std::string, std::string>> hosts;
  std::string name;
  bool urls = true;
  for (std::string line : lines_of(recorded("referrers/matomo/" + file))) {
    if (line.empty() || line[0] == '#') continue;
    size_t dash = line.find("- ");
    if (line[0] != ' ') {
      name = line.substr(0, line.size() - 1);
      urls = file != "SearchEngines.yml";
    } else if (line.ends_with("urls:")) {
      urls = true;
    } else if (line.ends_with(":") && dash == std::string::npos) {
      urls = false;
    } else if (urls && dash != std::string::npos) {
      std::string host = line.substr(dash + 2);
      std::erase(host, '\'');
      if (size_t brackets = host.find("{}"); brackets != std::string::npos)
        host.replace(brackets, 2, brackets == 0 ? "de" : "fr");
      hosts.emplace_back(name, host);
    }
  }
  return hosts;
}

size_t covered(SourceFinder& finder, const std::string& file, std::initializer_list<std::string_view> mediums) {
  size_t right = 0;
  std::string misses;
  auto hosts = matomo_hosts(file);
  for (const auto& [name, host] : hosts) {
    // Apps stand in these lists by their bare package.
    bool app = host.starts_with("com.") || host.starts_with("org.");
    std::string referrer = (app ? "android-app://" : "https://") + host;
    SourceAnswer answer = finder.find({.referrer = referrer, .hostname = "www.shop.example"});
    if (std::find(mediums.begin(), mediums.end(), answer.medium) != mediums.end())
      ++right;
    else
      misses += "  " + name + " " + host + ": " + std::string(answer.source) + ", " + std::string(answer.medium) + "\n";
  }
  std::cout << file << ": " << right << " of " << hosts.size() << "\n" << misses;
  return hosts.empty() ? 0 : right * 100 / hosts.size();
}

TEST_F(SourceTest, KnowsAllAssistantsOfMatomosList) {
  if (recorded("referrers/matomo/AIAssistants.yml").empty()) GTEST_SKIP() << "no recorded data";
  EXPECT_EQ(covered(finder_, "AIAssistants.yml", {"ai"}), 100u);
}

TEST_F(SourceTest, KnowsMostSearchEnginesAndNetworksOfMatomosLists) {
  if (recorded("referrers/matomo/Socials.yml").empty()) GTEST_SKIP() << "no recorded data";
  EXPECT_GE(covered(finder_, "SearchEngines.yml", {"search", "ai", "shopping", "news", "video"}), 95u);
  EXPECT_GE(covered(finder_, "Socials.yml", {"social", "video", "audio"}), 95u);
}

TEST(Sources, TakesTheCommunitysSpamList) {
  std::string list = recorded("referrers/matomo/spammers.txt");
  if (list.empty()) GTEST_SKIP() << "no recorded data";
  auto sources = load(built_in_sources(), "", list);
  EXPECT_GT(sources->spam_hosts(), 2'000u);
  SourceFinder finder(sources);
  for (const std::string& host : lines_of(list)) {
    std::string referrer = "https://www." + host + "/";
    EXPECT_THAT(std::string(finder.find({.referrer = referrer, .hostname = "me.example.net"}).spam),
                ::testing::StartsWith("referrer spam: "))
        << host;
  }
}

TEST(PublicSuffixes, HoldTheListsOwnVectors) {
  std::string text = recorded("psl/tests.txt");
  if (text.empty()) GTEST_SKIP() << "no recorded data";
  PublicSuffixes list = suffixes();
  size_t count = 0;
  for (const std::string& line : lines_of(text)) {
    if (line.empty() || line.starts_with("//")) continue;
    std::istringstream fields(line);
    std::string host, wanted;
    fields >> host >> wanted;
    if (host == "null") continue;
    for (char& c : host) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
    EXPECT_EQ(list.registrable(host), wanted == "null" ? "" : wanted) << line;
    ++count;
  }
  EXPECT_GE(count, 76u);
}

}  // namespace
}  // namespace weir::enrich
