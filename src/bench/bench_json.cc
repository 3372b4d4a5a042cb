#include "bench/bench_json.h"

#include <cmath>
#include <nlohmann/json.hpp>

namespace ltri {
namespace {

using Json = nlohmann::ordered_json;

Json OrNull(const std::optional<double>& value) { return value ? Json(*value) : Json(); }

Json Share(double value, double limit) { return limit > 0 ? Json(value / limit) : Json(); }

Json Rates(const std::vector<double>& rates) {
  Json list = Json::array();
  for (const double rate : rates) list.push_back(std::isnan(rate) ? Json() : Json(rate));
  return list;
}

Json Limits(const std::optional<MachineLimits>& limits) {
  if (!limits) return nullptr;
  return {{"read_gb_per_second", limits->read_gb_per_second},
          {"fma_gflops", limits->fma_gflops},
          {"gemm_gflops", limits->gemm_gflops},
          {"gemm", limits->gemm}};
}

Json RowJson(const BenchRow& row, const std::optional<MachineLimits>& limits) {
  Json json = {{"section", NameOf(row.section)},
               {"method", row.method},
               {"weight_type", row.weight_type},
               {"tokens", row.tokens},
               {"tokens_per_second", row.tokens_per_second()},
               {"peer_tokens_per_second", OrNull(row.peer_tokens_per_second())},
               {"ratio_to_peer", OrNull(row.ratio_to_peer())}};
  if (row.section == BenchSection::kPrefill) {
    json["seconds_to_first_token"] = row.seconds_to_first_token();
    json["gflops"] = row.gflops();
    json["share_of_peak_gflops"] = Share(row.gflops(), limits ? limits->peak_gflops() : 0);
    json["peak_memory_bytes"] = row.memory_bytes;
    json["span_detection_share"] = row.detection_share;
  } else {
    const double most = limits ? limits->read_gb_per_second : 0;
    json["weight_gb_per_second"] = row.weight_gb_per_second();
    json["share_of_bandwidth_weights"] = Share(row.weight_gb_per_second(), most);
    json["gb_per_second"] = row.gb_per_second();
    json["share_of_bandwidth"] = Share(row.gb_per_second(), most);
    json["session_bytes"] = row.memory_bytes;
  }
  json["rates"] = Rates(row.rates);
  json["peer_rates"] = Rates(row.peer_rates);
  return json;
}

}  // namespace

Json BenchJson(const BenchReport& report) {
  Json json = {{"model", report.model}, {"threads", report.threads}, {"runs", report.runs}};
  json["limits"] = Limits(report.limits);
  json["rows"] = Json::array();
  for (const BenchRow& row : report.rows) json["rows"].push_back(RowJson(row, report.limits));
  json["notes"] = report.notes;
  return json;
}

}  // namespace ltri
