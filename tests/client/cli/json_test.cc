// JSON text.
#include "client/cli/json.h"

#include <limits>

#include "gtest/gtest.h"

namespace quern {
namespace {

TEST(JsonTest, MembersKeepTheirOrderAndTypes) {
  EXPECT_EQ(JsonObject()
                .Add("b", 1)
                .Add("a", "x")
                .Add("c", true)
                .Add("d", 0.5)
                .Add("e", uint64_t{18446744073709551615u})
                .ToString(),
            R"({"b":1,"a":"x","c":true,"d":0.5,"e":18446744073709551615})");
}

TEST(JsonTest, ObjectsAndArraysNest) {
  EXPECT_EQ(JsonObject()
                .Add("o", JsonObject().Add("x", 1))
                .Add("l", std::vector<JsonObject>{JsonObject(), JsonObject()})
                .Add("t", std::vector<std::string>{"p", "q"})
                .ToString(),
            R"({"o":{"x":1},"l":[{},{}],"t":["p","q"]})");
}

TEST(JsonTest, WhatJsonForbidsIsEscaped) {
  EXPECT_EQ(JsonText("a\"b\\c\n\x01"), R"("a\"b\\c\u000a\u0001")");
}

TEST(JsonTest, Utf8StaysAndOtherBytesAreReplaced) {
  EXPECT_EQ(JsonText("\xc3\xa4\xf0\x9f\x98\x80"),
            "\"\xc3\xa4\xf0\x9f\x98\x80\"");
  EXPECT_EQ(JsonText("\xff"), R"("\ufffd")");
  EXPECT_EQ(JsonText("\xc3"), R"("\ufffd")");            // Cut off.
  EXPECT_EQ(JsonText("\xc0\x80"), R"("\ufffd\ufffd")");  // Overlong.
  EXPECT_EQ(JsonText("\xed\xa0\x80"),
            R"("\ufffd\ufffd\ufffd")");  // A surrogate.
}

TEST(JsonTest, NumbersThatJsonLacksAreNull) {
  EXPECT_EQ(JsonNumber(std::numeric_limits<double>::quiet_NaN()), "null");
  EXPECT_EQ(JsonNumber(std::numeric_limits<double>::infinity()), "null");
  EXPECT_EQ(JsonNumber(1e100), "1e+100");
}

}  // namespace
}  // namespace quern
