// Tests of the metrics' names and values.
#include "server/app/metric_families.h"

#include <gtest/gtest.h>
#include <prometheus/text_serializer.h>

#include <regex>
#include <set>
#include <string>

namespace quern {
namespace {

std::string TextOf(const v1::GetStatsResponse& stats) {
  return prometheus::TextSerializer().Serialize(MetricFamiliesOf(stats));
}

bool HasLine(const std::string& text, const std::string& line) {
  return text.find("\n" + line + "\n") != std::string::npos;
}

TEST(MetricFamiliesTest, CountsCarryTheirLabels) {
  v1::GetStatsResponse stats;
  stats.set_hits(3);
  stats.mutable_children_dead()->set_timed_out(2);
  stats.mutable_memory()->set_retired_slabs(4);
  stats.mutable_executors()->set_killed(5);
  const std::string text = TextOf(stats);
  EXPECT_TRUE(HasLine(text, "quern_compile_calls_total{answer=\"hit\"} 3"))
      << text;
  EXPECT_TRUE(
      HasLine(text, "quern_children_dead_total{cause=\"timed_out\"} 2"));
  EXPECT_TRUE(HasLine(text, "quern_slabs{state=\"retired\"} 4"));
  EXPECT_TRUE(HasLine(text, "quern_executors_dead_total{cause=\"killed\"} 5"));
}

TEST(MetricFamiliesTest, AHistogramAddsItsBucketsUp) {
  v1::GetStatsResponse stats;
  v1::LatencyHistogram& compile = *stats.mutable_latencies()->mutable_compile();
  for (const uint64_t count : {1, 0, 5, 2}) compile.add_counts(count);
  compile.mutable_sum()->set_nanos(500000000);
  const std::string text = TextOf(stats);
  EXPECT_TRUE(HasLine(text, "quern_compile_seconds_bucket{le=\"2e-06\"} 1"))
      << text;
  EXPECT_TRUE(HasLine(text, "quern_compile_seconds_bucket{le=\"4e-06\"} 6"))
      << text;
  EXPECT_TRUE(HasLine(text, "quern_compile_seconds_bucket{le=\"+Inf\"} 8"))
      << text;
  EXPECT_TRUE(HasLine(text, "quern_compile_seconds_count 8"));
  EXPECT_TRUE(HasLine(text, "quern_compile_seconds_sum 0.5"));
}

TEST(MetricFamiliesTest, NamesAreOursAndEachIsThereOnceWithAHelp) {
  const std::regex form("quern_[a-z_]+");
  std::set<std::string> names;
  v1::GetStatsResponse stats;
  stats.mutable_disk();
  for (const auto& family : MetricFamiliesOf(stats)) {
    EXPECT_TRUE(std::regex_match(family.name, form)) << family.name;
    EXPECT_TRUE(names.insert(family.name).second) << family.name;
    EXPECT_FALSE(family.help.empty()) << family.name;
    EXPECT_FALSE(family.metric.empty()) << family.name;
    const bool counter = family.type == prometheus::MetricType::Counter;
    EXPECT_EQ(counter, family.name.ends_with("_total")) << family.name;
  }
}

}  // namespace
}  // namespace quern
