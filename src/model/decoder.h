// Decoder: one transformer, described by its configuration.
#ifndef LTRI_MODEL_DECODER_H_
#define LTRI_MODEL_DECODER_H_

#include <cstdint>
#include <span>
#include <vector>

#include "base/thread_pool.h"
#include "ltri/options.h"
#include "ltri/result.h"
#include "model/attention_memory.h"
#include "ops/matmul.h"
#include "weights/model_config.h"
#include "weights/model_weights.h"

namespace ltri {

// One sequence's part of a step.
struct Slice {
  AttentionMemory* memory = nullptr;
  std::span<const TokenId> tokens;
  StepRange range;                       // count == tokens.size()
  int64_t logit_rows = 0;                // of how many of its last tokens logits are wanted
  std::vector<float>* logits = nullptr;  // [logit_rows, vocabulary]; may be null when logit_rows is 0
};

// Thread safety: one Step at a time.
class Decoder {
 public:
  // config and weights outlive the decoder.
  Decoder(const ModelConfig& config, const ModelWeights& weights) : config_(config), weights_(weights) {}

  // Reads all slices at once: linear layers see every token, attention sees each sequence's own memory.
  // Prompt blocks and decoded tokens mix; a sequence appears at most once. Token ids are within the vocabulary.
  // Error: a sequence's memory cannot be read or written; none of the slices counts as read then.
  Status Step(ThreadPool& pool, std::span<Slice> slices);

 private:
  struct Buffers {
    std::vector<float> x, h, q, k, v, attended, gate, up, projected;
  };

  // Some of the step's rows.
  struct Rows {
    int64_t first;
    RowCount count;
  };

  void Embed(ThreadPool& pool);
  Status Attention(ThreadPool& pool, int64_t layer);
  void Project(ThreadPool& pool, int64_t layer, Rows rows);
  void FeedForward(ThreadPool& pool, int64_t layer, Rows rows);
  void AddProjected(ThreadPool& pool, const Vector& norm, Rows rows);
  void Logits(ThreadPool& pool);
  void Norm(ThreadPool& pool, const float* x, const Vector& weight, int64_t rows, int64_t width, float* y);
  void NormHeads(ThreadPool& pool, float* rows, int64_t heads, const Vector& weight);

  const ModelConfig& config_;
  const ModelWeights& weights_;
  std::vector<Slice*> order_;    // of the current step: prompt blocks first, then single tokens
  std::vector<TokenId> tokens_;  // in that order
  RowCount rows_;
  Buffers b_;
};

}  // namespace ltri

#endif  // LTRI_MODEL_DECODER_H_
