// Field: all contenders on one model file, and the text that they read.
#ifndef LTRI_BENCH_FIELD_H_
#define LTRI_BENCH_FIELD_H_

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "bench/bench_settings.h"
#include "bench/contender.h"
#include "bench/model_cost.h"
#include "weights/session_cost.h"

namespace ltri {

struct Field {
  std::string type;  // of the weights
  std::vector<std::unique_ptr<Contender>> contenders;
  bool peer = false;  // the last of them is llama.cpp
  ModelCost cost;
  SessionCost session_cost;
  std::vector<TokenId> tokens;

  // The first `count` tokens of the text, and those from `begin` on.
  std::span<const TokenId> Text(int64_t count) const { return {tokens.data(), static_cast<size_t>(count)}; }
  std::span<const TokenId> After(int64_t begin, int64_t count) const {
    return {tokens.data() + begin, static_cast<size_t>(count)};
  }

  // Who decodes at `depth`, by index, and the memory it takes them all together, roughly.
  std::vector<size_t> TakingPart(int64_t depth) const;
  int64_t BytesAt(int64_t depth) const;
};

// Errors: those of the model and of llama.cpp; kInvalidArgument when the text is too short for a prompt.
Result<Field> MakeField(const std::string& path, const std::string& type, const BenchSettings& settings,
                        const StopCheck& stop);

}  // namespace ltri

#endif  // LTRI_BENCH_FIELD_H_
