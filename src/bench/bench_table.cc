#include "bench/bench_table.h"

#include <fmt/format.h>

namespace ltri {
namespace {

constexpr double kMega = 1e6;

template <typename... Parts>
std::string Line(Parts... parts) {
  return fmt::format("{:<8} {:>8} {:<10} {:>9} {:>10} {:>6} {:>8} {:>6} {:>8} {:>8}\n", parts...);
}

std::string Number(const std::optional<double>& value, int digits) {
  return value ? fmt::format("{:.{}f}", *value, digits) : std::string("-");
}

std::string Percent(double value, double limit) {
  return limit > 0 ? fmt::format("{:.0f}%", 100 * value / limit) : std::string("-");
}

}  // namespace

std::string LimitsText(const MachineLimits& limits, int threads) {
  return fmt::format(
      "With {} threads this machine reads {:.1f} GB/s from memory and computes {:.0f} GFLOP/s of fp32 in registers,\n"
      "{:.0f} in large products ({}).\n",
      threads, limits.read_gb_per_second, limits.fma_gflops, limits.gemm_gflops, limits.gemm);
}

std::string BenchTableHead(BenchSection section) {
  if (section == BenchSection::kPrefill) {
    return "\n" + Line("prefill", "", "", "", "llama.cpp", "", "GFLOP/s", "of", "first", "memory") +
           Line("weights", "tokens", "method", "tokens/s", "tokens/s", "ratio", "matrices", "peak", "token s", "MB");
  }
  return "\n" + Line("decode", "at", "", "", "llama.cpp", "", "GB/s", "of", "GB/s", "session") +
         Line("weights", "depth", "method", "tokens/s", "tokens/s", "ratio", "weights", "limit", "with KV", "MB");
}

std::string BenchTableLine(const BenchRow& row, const std::optional<MachineLimits>& limits) {
  const std::string peer = Number(row.peer_tokens_per_second(), 1);
  const std::string ratio = Number(row.ratio_to_peer(), 2);
  const std::string rate = Number(row.tokens_per_second(), 1);
  const std::string memory = fmt::format("{:.0f}", static_cast<double>(row.memory_bytes) / kMega);
  if (row.section == BenchSection::kPrefill) {
    return Line(row.weight_type, row.tokens, row.method, rate, peer, ratio, Number(row.gflops(), 1),
                Percent(row.gflops(), limits ? limits->peak_gflops() : 0), Number(row.seconds_to_first_token(), 2),
                memory);
  }
  return Line(row.weight_type, row.tokens, row.method, rate, peer, ratio, Number(row.weight_gb_per_second(), 1),
              Percent(row.weight_gb_per_second(), limits ? limits->read_gb_per_second : 0),
              Number(row.gb_per_second(), 1), memory);
}

}  // namespace ltri
