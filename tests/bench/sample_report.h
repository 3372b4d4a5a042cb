// A report as a bench might make it.
#ifndef LTRI_TESTS_BENCH_SAMPLE_REPORT_H_
#define LTRI_TESTS_BENCH_SAMPLE_REPORT_H_

#include <limits>

#include "bench/bench_report.h"

namespace ltri::testing {

inline BenchRow SampleRow(BenchSection section, const std::string& method, int64_t tokens, std::vector<double> rates,
                          std::vector<double> peer_rates = {}) {
  BenchRow row;
  row.section = section;
  row.method = method;
  row.weight_type = "q4_1";
  row.tokens = tokens;
  row.rates = std::move(rates);
  row.peer_rates = std::move(peer_rates);
  row.memory_bytes = 5'000'000;
  row.flops_per_token = 2e8;
  row.detection_share = 0.25;
  row.weight_bytes = 100'000'000;
  row.kv_bytes = 20'000'000;
  return row;
}

inline BenchReport SampleReport() {
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  BenchReport report;
  report.model = "models/a<b>.gguf";
  report.threads = 2;
  report.runs = 3;
  report.limits = MachineLimits{20, 200, 160, "OpenBLAS"};
  report.rows = {SampleRow(BenchSection::kPrefill, "dense", 500, {100, 200, 300}, {50, kNone, 150}),
                 SampleRow(BenchSection::kPrefill, kPeerName, 500, {50, kNone, 150}),
                 SampleRow(BenchSection::kDecode, "ltri", 0, {90, 100, 110}, {50, 50, 50}),
                 SampleRow(BenchSection::kDecode, "ltri", 1048576, {70, 80, 90}),
                 SampleRow(BenchSection::kDecode, kPeerName, 0, {50, 50, 50}),
                 SampleRow(BenchSection::kDecode, kPeerName, 131072, {2, 2, 2})};
  report.notes = {"a note"};
  return report;
}

}  // namespace ltri::testing

#endif  // LTRI_TESTS_BENCH_SAMPLE_REPORT_H_
