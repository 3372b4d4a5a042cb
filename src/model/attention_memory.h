// AttentionMemory: what one sequence remembers, as the decoder sees it. All that long context is lies behind Attend.
#ifndef LTRI_MODEL_ATTENTION_MEMORY_H_
#define LTRI_MODEL_ATTENTION_MEMORY_H_

#include <cstdint>

#include "base/thread_pool.h"
#include "ltri/result.h"

namespace ltri {

enum class StepKind {
  kPrompt,     // a block of a prompt
  kPromptEnd,  // the last block of a prompt: its last queries know what is asked
  kReread,     // tokens at a prompt's end that are read again, or the last one ahead of its own step
  kDecode,     // one token
};

// One sequence's part of a step: tokens [begin, begin + count). begin is the memory's size, except for a kReread of the
// last tokens in memory. What kReread appends does not count as remembered: its own step follows.
struct StepRange {
  int64_t begin = 0;
  int64_t count = 0;
  StepKind kind = StepKind::kPrompt;
  int64_t end() const { return begin + count; }
};

class AttentionMemory {
 public:
  virtual ~AttentionMemory() = default;

  // What is remembered may be on disk: all three fail with what reading and writing files says. A step that failed can
  // be taken again.
  virtual Status BeginStep(ThreadPool& pool, const StepRange& step) = 0;

  // Remembers the step's keys and values of `layer` and attends. Layers are called in order, each once a step.
  // q, out: [count, heads, head_dim]; k, v: [count, kv_heads, head_dim]. q and k are not rotated, and the dimensions
  // that RoPE turns together lie in halves (ops/rope.h).
  virtual Status Attend(ThreadPool& pool, int64_t layer, const float* q, const float* k, const float* v,
                        float* out) = 0;

  virtual Status EndStep(ThreadPool& pool) = 0;
};

}  // namespace ltri

#endif  // LTRI_MODEL_ATTENTION_MEMORY_H_
