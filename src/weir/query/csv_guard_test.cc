#include "weir/query/csv_guard.h"

#include <gtest/gtest.h>

namespace weir::query {
namespace {

// In pieces of `step` bytes.
std::string guarded(std::string_view text, size_t step) {
  CsvGuard guard;
  std::string out;
  for (size_t at = 0; at < text.size(); at += step) out += guard.take(text.substr(at, step));
  return out;
}

TEST(CsvGuard, TextsThatCouldBeFormulasHaveAnApostropheBefore) {
  const std::string text =
      "\"name\",\"=head\"\n"
      "\"=1+1\",-5\n\"+1\",+7\n\"-1\",-inf\n\"@x\",\\N\n\"\tx\",true\n\"\rx\",1e5\r\n"
      "\"\",\"\"\n\"a=b\",\"a\"\"=\"\n\"\"\"=x\",\"x\"\"\",\"=y\n=z\"\n\"[\'=a\']\",\"\'=a\"\n\"=\",0\n";
  const std::string wanted =
      "\"name\",\"'=head\"\n"
      "\"'=1+1\",-5\n\"'+1\",+7\n\"'-1\",-inf\n\"'@x\",\\N\n\"'\tx\",true\n\"'\rx\",1e5\r\n"
      "\"\",\"\"\n\"a=b\",\"a\"\"=\"\n\"\"\"=x\",\"x\"\"\",\"'=y\n=z\"\n\"[\'=a\']\",\"\'=a\"\n\"'=\",0\n";
  for (size_t step = 1; step <= text.size(); ++step) EXPECT_EQ(guarded(text, step), wanted) << step;
}

TEST(CsvGuard, WhatIsFineIsHandedOnAsItIs) {
  CsvGuard guard;
  const std::string text = "\"a\",1\n";
  EXPECT_EQ(guard.take(text).data(), text.data());
  EXPECT_EQ(guard.take(""), "");
}

}  // namespace
}  // namespace weir::query
