// BenchSettings: what a bench measures.
#ifndef LTRI_BENCH_BENCH_SETTINGS_H_
#define LTRI_BENCH_BENCH_SETTINGS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "bench/machine_limits.h"
#include "bench/rounds.h"
#include "ltri/options.h"

namespace ltri {

struct BenchSettings {
  std::string model;               // path of a GGUF file
  std::vector<std::string> types;  // of the weights; empty: as the file has them
  std::vector<std::string> methods;
  SessionOptions session;  // for every method
  bool peer = false;       // llama.cpp takes part
  int threads = 1;
  std::string text;  // what is read

  bool limits = true;            // measure the machine first
  std::vector<int64_t> prefill;  // lengths of prompts; empty: none
  std::vector<int64_t> decode;   // depths; empty: none
  int64_t decode_tokens = 32;    // in a turn
  int64_t read_tokens = 4096;    // that are really read before a depth
  RoundRules rules;
  LimitSizes limit_sizes;
  double time_limit = 0;  // seconds; what would probably take longer is left out; 0: none
};

// Deeper texts than this llama.cpp takes no part in: its keys and values are all real.
inline constexpr int64_t kPeerDepth = 131072;

}  // namespace ltri

#endif  // LTRI_BENCH_BENCH_SETTINGS_H_
