// BenchReport: what a bench found, before it is printed.
#ifndef LTRI_BENCH_BENCH_REPORT_H_
#define LTRI_BENCH_BENCH_REPORT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bench/machine_limits.h"

namespace ltri {

enum class BenchSection { kPrefill, kDecode };

// One method (or llama.cpp itself) at one length, with weights of one type.
struct BenchRow {
  BenchSection section = BenchSection::kPrefill;
  std::string method;
  std::string weight_type;
  int64_t tokens = 0;              // of the prompt, or remembered when decoding begins
  std::vector<double> rates;       // tokens/s of each round; NaN: sat out
  std::vector<double> peer_rates;  // llama.cpp's in the same rounds; empty: it took no part
  int64_t memory_bytes = 0;    // prefill: the most that the process needed, weights included; decode: the sequence's
  double flops_per_token = 0;  // prefill: of the layers' matrices
  double detection_share = 0;  // prefill: of the time, for finding spans
  int64_t weight_bytes = 0;    // decode: read for each token
  int64_t kv_bytes = 0;        // decode: keys and values looked at for each token

  double tokens_per_second() const;
  double seconds_to_first_token() const;  // prefill
  double gflops() const;                  // prefill
  double weight_gb_per_second() const;    // decode
  double gb_per_second() const;           // decode: weights, keys and values
  // Median over the rounds in which both took part; none without a peer.
  std::optional<double> peer_tokens_per_second() const;
  std::optional<double> ratio_to_peer() const;
};

struct BenchReport {
  std::string model;  // path
  int threads = 0;
  int runs = 0;
  std::optional<MachineLimits> limits;
  std::vector<BenchRow> rows;
  std::vector<std::string> notes;  // what was measured less often, or not at all
};

inline constexpr const char* kPeerName = "llama.cpp";

const char* NameOf(BenchSection section);

}  // namespace ltri

#endif  // LTRI_BENCH_BENCH_REPORT_H_
