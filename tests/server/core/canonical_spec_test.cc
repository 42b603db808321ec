// Tests of canonical targets.
#include "server/core/canonical_spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace quern {
namespace {

using testing::ElementsAre;

TargetSpec Host() {
  TargetSpec host;
  host.triple = "x86_64-unknown-linux-gnu";
  host.cpu = "znver4";
  host.features = {"+avx2", "-sse4a"};
  return host;
}

CompileSpec SpecFor(std::vector<std::string> features,
                    std::string triple = "aarch64-unknown-linux-gnu") {
  CompileSpec spec;
  spec.source = "source";
  spec.target.triple = std::move(triple);
  spec.target.features = std::move(features);
  return spec;
}

TEST(CanonicalSpecTest, AnEmptyTargetIsTheHost) {
  EXPECT_EQ(Canonicalise(SpecFor({}, ""), Host())->target, Host());
}

TEST(CanonicalSpecTest, FeaturesAreSortedAndNamedOnce) {
  EXPECT_THAT(Canonicalise(SpecFor({"-sve", "+dotprod", "-sve"}), Host())
                  ->target.features,
              ElementsAre("+dotprod", "-sve"));
}

TEST(CanonicalSpecTest, OrderAndRepetitionDoNotChangeTheKey) {
  const auto one = Canonicalise(SpecFor({"+a", "+b"}), Host());
  const auto other = Canonicalise(SpecFor({"+b", "+a", "+b"}), Host());
  EXPECT_EQ(KeyOf(*one, BuildId{}), KeyOf(*other, BuildId{}));
}

TEST(CanonicalSpecTest, WhatMakesNoSenseIsRefused) {
  for (const std::vector<std::string>& features :
       std::vector<std::vector<std::string>>{
           {"dotprod"}, {""}, {"+"}, {"-"}, {"+sve", "-sve"}}) {
    EXPECT_TRUE(absl::IsInvalidArgument(
        Canonicalise(SpecFor(features), Host()).status()))
        << features.front();
  }
  EXPECT_TRUE(absl::IsInvalidArgument(
      Canonicalise(SpecFor({"+sve"}, ""), Host()).status()));
}

TEST(CanonicalSpecTest, AFeatureWhoseNameBeginsLikeAnotherIsNoContradiction) {
  EXPECT_TRUE(Canonicalise(SpecFor({"+sve", "-sve2"}), Host()).ok());
}

}  // namespace
}  // namespace quern
