#include "bench/bench_json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "bench/bench_table.h"
#include "bench/sample_report.h"

namespace ltri {
namespace {

using nlohmann::ordered_json;

TEST(BenchJsonTest, RowsHaveRatesRatiosAndShares) {
  // As a reader finds it: not a number would not survive.
  const ordered_json json = ordered_json::parse(BenchJson(testing::SampleReport()).dump());
  EXPECT_EQ(json["threads"], 2);
  EXPECT_EQ(json["limits"]["read_gb_per_second"], 20);
  ASSERT_EQ(json["rows"].size(), 6U);
  const ordered_json& prefill = json["rows"][0];
  EXPECT_EQ(prefill["section"], "prefill");
  EXPECT_EQ(prefill["method"], "dense");
  EXPECT_EQ(prefill["weight_type"], "q4_1");
  EXPECT_EQ(prefill["tokens"], 500);
  EXPECT_EQ(prefill["tokens_per_second"], 200);
  EXPECT_EQ(prefill["peer_tokens_per_second"], 100);
  EXPECT_EQ(prefill["ratio_to_peer"], 2);
  EXPECT_EQ(prefill["seconds_to_first_token"], 2.5);
  EXPECT_EQ(prefill["gflops"], 40);
  EXPECT_EQ(prefill["share_of_peak_gflops"], 0.2);
  EXPECT_EQ(prefill["peak_memory_bytes"], 5'000'000);
  EXPECT_EQ(prefill["span_detection_share"], 0.25);
  EXPECT_TRUE(prefill["peer_rates"][1].is_null());
  const ordered_json& decode = json["rows"][2];
  EXPECT_EQ(decode["section"], "decode");
  EXPECT_EQ(decode["weight_gb_per_second"], 10);
  EXPECT_EQ(decode["share_of_bandwidth_weights"], 0.5);
  EXPECT_EQ(decode["gb_per_second"], 12);
  const ordered_json& alone = json["rows"][3];
  EXPECT_TRUE(alone["peer_tokens_per_second"].is_null());
  EXPECT_TRUE(alone["ratio_to_peer"].is_null());
  EXPECT_EQ(json["notes"][0], "a note");
}

TEST(BenchJsonTest, WithoutLimitsThereAreNoShares) {
  BenchReport report = testing::SampleReport();
  report.limits.reset();
  const ordered_json json = BenchJson(report);
  EXPECT_TRUE(json["limits"].is_null());
  EXPECT_TRUE(json["rows"][0]["share_of_peak_gflops"].is_null());
  EXPECT_TRUE(json["rows"][2]["share_of_bandwidth"].is_null());
}

TEST(BenchTableTest, LinesAreAsWideAsTheirHeads) {
  const BenchReport report = testing::SampleReport();
  for (const BenchRow& row : report.rows) {
    const std::string head = BenchTableHead(row.section);
    const std::string line = BenchTableLine(row, report.limits);
    EXPECT_EQ(line.size(), head.size() - head.rfind('\n', head.size() - 2) - 1) << line;
    EXPECT_EQ(line.find("nan"), std::string::npos) << line;
  }
  EXPECT_NE(BenchTableLine(report.rows[0], report.limits).find(" 2.00 "), std::string::npos);
  EXPECT_NE(BenchTableLine(report.rows[3], std::nullopt).find(" - "), std::string::npos);
}

}  // namespace
}  // namespace ltri
