#include "weir/app/run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace weir::app {
namespace {
using ::testing::HasSubstr;
using ::testing::internal::CaptureStderr;
using ::testing::internal::CaptureStdout;
using ::testing::internal::GetCapturedStderr;
using ::testing::internal::GetCapturedStdout;

struct Ran {
  int status;
  std::string out, errors;
};

Ran ran(std::vector<std::string> words) {
  words.insert(words.begin(), "weir");
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  CaptureStdout();
  CaptureStderr();
  const int status = run(static_cast<int>(arguments.size()), arguments.data());
  return {status, GetCapturedStdout(), GetCapturedStderr()};
}

TEST(Run, HelpTellsOfTheWholeProgramAndOfEachCommand) {
  EXPECT_THAT(ran({"help"}).out, HasSubstr("Usage: weir [OPTIONS] SUBCOMMAND"));
  const Ran asked = ran({"help", "key", "create"});
  EXPECT_EQ(asked.status, 0);
  EXPECT_THAT(asked.out, HasSubstr("Usage: weir key create [OPTIONS]"));
  EXPECT_EQ(ran({"key", "create", "--help"}).out, asked.out);
}

TEST(Run, ACommandThatThereIsNotIsNamed) {
  for (const auto& [words, message] : std::vector<std::pair<std::vector<std::string>, std::string>>{
           {{"fly"}, "weir: there is no command `weir fly`\nRun weir help for the commands.\n"},
           {{"help", "fly"}, "weir: there is no command `weir fly`\nRun weir help for the commands.\n"},
           {{"key", "fly"}, "weir: there is no command `weir key fly`\nRun weir key --help for the commands.\n"},
           {{"help", "key", "fly"},
            "weir: there is no command `weir key fly`\nRun weir key --help for the commands.\n"},
           {{"key", "create"}, "weir: --name is required\nRun weir key create --help.\n"},
           {{}, "weir: A subcommand is required\nRun weir help for the commands.\n"}}) {
    const Ran refused = ran(words);
    EXPECT_EQ(refused.status, 2) << message;
    EXPECT_EQ(refused.out, "") << message;
    EXPECT_EQ(refused.errors, message);
  }
}
}  // namespace
}  // namespace weir::app
