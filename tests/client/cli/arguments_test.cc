// Command lines.
#include "client/cli/arguments.h"

#include "gtest/gtest.h"

namespace quern {
namespace {

const ArgumentRules kRules = {
    .positionals = {"FILE"}, .options = {"arg", "repeat"}, .flags = {"fast"}};

std::string ErrorOf(const std::vector<std::string>& words) {
  return std::string(Arguments::Parse(words, kRules).status().message());
}

TEST(ArgumentsTest, PositionalsAndOptionsMayBeMixed) {
  const auto arguments = Arguments::Parse(
      {"--arg", "1", "a.ttir", "--arg=2=3", "--json", "--fast"}, kRules);
  ASSERT_TRUE(arguments.ok()) << arguments.status();
  EXPECT_EQ(arguments->positional(0), "a.ttir");
  EXPECT_EQ(arguments->All("arg"), (std::vector<std::string>{"1", "2=3"}));
  EXPECT_EQ(arguments->Get("arg", ""), "2=3");
  EXPECT_TRUE(arguments->Has("json"));
  EXPECT_TRUE(arguments->Has("fast"));
  EXPECT_FALSE(arguments->Has("repeat"));
}

TEST(ArgumentsTest, AValueMayLookLikeAnOption) {
  const auto arguments = Arguments::Parse({"a", "--arg", "-1"}, kRules);
  ASSERT_TRUE(arguments.ok());
  EXPECT_EQ(arguments->Get("arg", ""), "-1");
}

TEST(ArgumentsTest, EachMistakeIsNamed) {
  EXPECT_EQ(ErrorOf({}), "missing FILE");
  EXPECT_EQ(ErrorOf({"a", "b"}), "what is 'b'?");
  EXPECT_EQ(ErrorOf({"a", "--slow"}), "unknown option --slow");
  EXPECT_EQ(ErrorOf({"a", "--arg"}), "--arg needs a value");
  EXPECT_EQ(ErrorOf({"a", "--fast=1"}), "--fast takes no value");
}

TEST(ArgumentsTest, CountsArePositiveNumbers) {
  const auto count = [](const std::string& text) {
    return Arguments::Parse({"a", "--repeat", text}, kRules)
        ->GetCount("repeat", 7);
  };
  EXPECT_EQ(*count("4294967295"), 4294967295u);
  EXPECT_FALSE(count("4294967296").ok());
  EXPECT_FALSE(count("0").ok());
  EXPECT_FALSE(count("many").ok());
  EXPECT_EQ(*Arguments::Parse({"a"}, kRules)->GetCount("repeat", 7), 7u);
}

}  // namespace
}  // namespace quern
