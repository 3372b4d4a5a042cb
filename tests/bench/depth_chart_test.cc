#include "bench/depth_chart.h"

#include <gtest/gtest.h>

#include <vector>

#include "bench/sample_report.h"

namespace ltri {
namespace {

// Whether every tag is closed in order, and nothing but tags holds a '<'.
bool IsWellFormed(const std::string& xml) {
  std::vector<std::string> open;
  for (size_t at = xml.find('<'); at != std::string::npos; at = xml.find('<', at)) {
    const size_t end = xml.find_first_of("<>", at + 1);
    if (end == std::string::npos || xml[end] == '<') return false;
    const std::string tag = xml.substr(at + 1, end - at - 1);
    at = end;
    if (tag.ends_with('/')) continue;
    if (!tag.starts_with('/')) {
      open.push_back(tag.substr(0, tag.find(' ')));
    } else {
      if (open.empty() || "/" + open.back() != tag) return false;
      open.pop_back();
    }
  }
  return open.empty();
}

size_t Count(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST(DepthChartTest, HasALineForEachMethod) {
  const std::string svg = DrawDepthChart(testing::SampleReport());
  EXPECT_TRUE(IsWellFormed(svg)) << svg;
  EXPECT_EQ(Count(svg, "stroke-linejoin"), 2U);
  EXPECT_EQ(Count(svg, "<circle"), 4U);
  for (const char* text : {">ltri<", ">llama.cpp<", ">0<", ">128K<", ">1M<", "a&lt;b&gt;", "weights q4_1"}) {
    EXPECT_NE(svg.find(text), std::string::npos) << text;
  }
  EXPECT_NE(svg.find("prefers-color-scheme: dark"), std::string::npos);
  EXPECT_EQ(svg.find("nan"), std::string::npos);
}

TEST(DepthChartTest, OnePointOrNone) {
  BenchReport report = testing::SampleReport();
  report.rows.resize(3);
  EXPECT_TRUE(IsWellFormed(DrawDepthChart(report)));
  EXPECT_EQ(DrawDepthChart(report).find("nan"), std::string::npos);
  report.rows.clear();
  EXPECT_TRUE(IsWellFormed(DrawDepthChart(report)));
  EXPECT_EQ(DrawDepthChart(report).find("nan"), std::string::npos);
}

}  // namespace
}  // namespace ltri
