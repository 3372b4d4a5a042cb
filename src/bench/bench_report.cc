#include "bench/bench_report.h"

#include <cmath>

#include "bench/rounds.h"

namespace ltri {
namespace {

constexpr double kGiga = 1e9;

}  // namespace

double BenchRow::tokens_per_second() const { return Median(rates); }

double BenchRow::seconds_to_first_token() const {
  const double rate = tokens_per_second();
  return rate > 0 ? static_cast<double>(tokens) / rate : 0.0;
}

double BenchRow::gflops() const { return tokens_per_second() * flops_per_token / kGiga; }

double BenchRow::weight_gb_per_second() const {
  return tokens_per_second() * static_cast<double>(weight_bytes) / kGiga;
}

double BenchRow::gb_per_second() const {
  return tokens_per_second() * static_cast<double>(weight_bytes + kv_bytes) / kGiga;
}

std::optional<double> BenchRow::peer_tokens_per_second() const {
  if (CountNumbers(peer_rates) == 0) return std::nullopt;
  return Median(peer_rates);
}

std::optional<double> BenchRow::ratio_to_peer() const {
  const double ratio = MedianRatio(rates, peer_rates);
  if (std::isnan(ratio)) return std::nullopt;
  return ratio;
}

const char* NameOf(BenchSection section) { return section == BenchSection::kPrefill ? "prefill" : "decode"; }

}  // namespace ltri
