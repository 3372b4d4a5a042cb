// A BenchReport as JSON: {"model", "threads", "runs", "limits", "rows": [...], "notes"}.
#ifndef LTRI_BENCH_BENCH_JSON_H_
#define LTRI_BENCH_BENCH_JSON_H_

#include <nlohmann/json_fwd.hpp>

#include "bench/bench_report.h"

namespace ltri {

// Each row has section, method, weight_type, tokens, tokens_per_second, peer_tokens_per_second and ratio_to_peer (null
// without llama.cpp), its rates round by round, and what its section adds. llama.cpp has rows of its own.
nlohmann::ordered_json BenchJson(const BenchReport& report);

}  // namespace ltri

#endif  // LTRI_BENCH_BENCH_JSON_H_
