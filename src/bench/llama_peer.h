// LlamaPeer: llama.cpp of the pinned version as a contender: its default options, flash attention on, keys and values
// in F16, batches of 2,048 tokens that it cuts into 512, and as many threads as we have.
#ifndef LTRI_BENCH_LLAMA_PEER_H_
#define LTRI_BENCH_LLAMA_PEER_H_

#include <memory>
#include <string>
#include <vector>

#include "bench/contender.h"
#include "weights/session_cost.h"

namespace ltri {

class LlamaPeer : public Contender {
 public:
  // cost: of the same model, for what a token looks at. Error kUnsupported when llama.cpp cannot load the file.
  static Result<std::unique_ptr<LlamaPeer>> Load(const std::string& path, int threads, const SessionCost& cost,
                                                 StopCheck stop);
  ~LlamaPeer() override;

  std::string name() const override { return "llama.cpp"; }
  Result<double> Read(std::span<const TokenId> text) override;
  Status GoTo(std::span<const TokenId> text, int64_t depth, int64_t room) override;
  Result<double> Decode(std::span<const TokenId> tokens) override;
  int64_t BytesSeen() const override { return cost_.bytes_per_token * depth_ + cost_.sliding_bytes; }
  int64_t MemoryUsed() const override { return BytesSeen(); }
  void Release() override;

  // Logits after the last token that was read or decoded; for tests.
  std::vector<float> Logits() const;

 private:
  struct State;
  LlamaPeer(std::unique_ptr<State> state, const SessionCost& cost);

  Status Save(std::span<const TokenId> text);

  std::unique_ptr<State> state_;
  SessionCost cost_;
  int64_t depth_ = 0;
};

}  // namespace ltri

#endif  // LTRI_BENCH_LLAMA_PEER_H_
