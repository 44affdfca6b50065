#include "weir/enrich/regex_lists.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <re2/re2.h>

namespace weir::enrich {
namespace {

using ::testing::IsEmpty;

RegexLists::Regex plain(std::string pattern) { return {std::move(pattern), false}; }

TEST(RegexLists, EachListAnswersWithItsFirst) {
  std::vector<RegexLists::Failure> failures;
  RegexLists lists({{plain("beta"), plain("alpha|gamma")}, {}, {plain("(al)(x)?(pha)"), plain("alpha")}}, failures);
  EXPECT_THAT(failures, IsEmpty());
  RegexMatcher matcher(lists);
  matcher.scan("gamma, then beta");
  EXPECT_EQ(matcher.first(0), 0u);
  EXPECT_EQ(matcher.group(0), "beta");
  EXPECT_EQ(matcher.first(1), RegexMatcher::kNone);
  EXPECT_EQ(matcher.group(0), "");
  EXPECT_EQ(matcher.first(2), RegexMatcher::kNone);
  matcher.scan("alpha");
  EXPECT_EQ(matcher.first(0), 1u);
  EXPECT_EQ(matcher.first(2), 0u);
  EXPECT_EQ(matcher.group(1), "al");
  EXPECT_EQ(matcher.group(2), "");
  EXPECT_EQ(matcher.group(3), "pha");
  EXPECT_EQ(matcher.group(4), "");
}

TEST(RegexLists, WhatDoesNotCompileIsNamedAndKeepsItsPlace) {
  std::vector<RegexLists::Failure> failures;
  RegexLists lists({{plain("x")}, {plain("(a"), plain("a")}}, failures);
  ASSERT_EQ(failures.size(), 1u);
  EXPECT_EQ(failures[0].list, 1u);
  EXPECT_EQ(failures[0].index, 0u);
  EXPECT_THAT(failures[0].message, ::testing::HasSubstr("parenthes"));
  RegexMatcher matcher(lists);
  matcher.scan("a");
  EXPECT_EQ(matcher.first(1), 1u);
}

TEST(RegexLists, LookAroundWorksThoughNothingIsKnownOfIt) {
  std::vector<RegexLists::Failure> failures;
  RegexLists lists({{plain("foo(?!bar)")}}, failures);
  RegexMatcher matcher(lists);
  matcher.scan("foobar");
  EXPECT_EQ(matcher.first(0), RegexMatcher::kNone);
  matcher.scan("foobaz");
  EXPECT_EQ(matcher.first(0), 0u);
}

// Pieces that overlap, end in one another, are optional, short, repeated, of any case, and bytes beyond ASCII: what is
// tried after the pass over the text is never less than what matches.
TEST(RegexLists, TheFirstPassLosesNothing) {
  const std::string kStrasse = std::string("stra\xdf") + "e";  // in Latin-1
  const std::vector<RegexLists::Regex> regexes = {
      plain("android"),
      plain("Android \\d+; (?:sm-|gt-)t\\d"),
      {"(?:HTC|one) ?(?:touch|x)", true},
      plain("ndr|roid|(?:and)+roi"),
      plain("^abc|xyz$"),
      plain("(?:abc)?(?:def)?(?:ghi)?"),
      plain("(?:abc|ab)(?:cde|de)"),
      plain("[Tt]ablet.{1,10}[Ff]irefox"),
      plain("a.c"),
      plain("\\bUC? ?Browser/(\\d)"),
      plain("(?i)STRASSE|" + kStrasse),
      plain("x{3,5}y"),
      plain("aaaa|aaa"),
      plain("abcabd"),
      plain(""),
      plain("(?:one|two|three).*(?:four|five).*six"),
  };
  const std::vector<std::string> pieces = {
      "android",  "Android 9; ", "sm-t5", "gt-",          "HTC",        "One",     " touch", "x",     "ndr",
      "roid",     "and",         "abc",   "xyz",          "de",         "cde",     "def",    "ghi",   "Tablet",
      " Firefox", "a",           "c",     "UC Browser/1", "UBrowser/2", "Strasse", kStrasse, "xxxxy", "aa",
      "abd",      "one",         "four",  "six",          "three",      " ",       ""};
  std::vector<std::vector<RegexLists::Regex>> each;
  std::vector<std::unique_ptr<re2::RE2>> oracles;
  for (const RegexLists::Regex& regex : regexes) {
    each.push_back({regex});
    re2::RE2::Options options(re2::RE2::Latin1);
    options.set_case_sensitive(!regex.ignore_case);
    oracles.push_back(std::make_unique<re2::RE2>(regex.pattern, options));
  }
  std::vector<RegexLists::Failure> failures;
  RegexLists lists(each, failures);
  EXPECT_THAT(failures, IsEmpty());
  RegexMatcher matcher(lists);
  std::vector<size_t> found(regexes.size());
  for (const std::string& a : pieces) {
    for (const std::string& b : pieces) {
      for (const std::string& c : pieces) {
        std::string text = a + b + c;
        matcher.scan(text);
        for (size_t i = 0; i < regexes.size(); ++i) {
          bool matches = re2::RE2::PartialMatch(text, *oracles[i]);
          ASSERT_EQ(matcher.first(i) == 0, matches) << regexes[i].pattern << " in " << text;
          found[i] += matches ? 1 : 0;
        }
      }
    }
  }
  for (size_t i = 0; i < regexes.size(); ++i) EXPECT_GT(found[i], 0u) << regexes[i].pattern;
}

}  // namespace
}  // namespace weir::enrich
