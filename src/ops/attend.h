// Attention of a step's queries over keys that lie in runs of a store.
//
// Keys are stored un-rotated and turned to the position that their run names, so one stored copy serves every way of
// numbering positions (InfLLM, arXiv 2402.04617).
#ifndef LTRI_OPS_ATTEND_H_
#define LTRI_OPS_ATTEND_H_

#include <cstdint>
#include <span>
#include <vector>

#include "base/half.h"
#include "base/thread_pool.h"
#include "ops/rope.h"

namespace ltri {

// Consecutive tokens of one KV head, none of which stands behind the query that sees it. keys, values: [count,
// head_dim].
struct KeyRun {
  const Half* keys = nullptr;
  const Half* values = nullptr;
  int64_t count = 0;
  int64_t position = 0;  // of the first key
};

// Query heads that share one KV head and one view of the past.
struct HeadGroup {
  int64_t first_head = 0;
  int64_t heads = 0;
  std::vector<KeyRun> far;    // seen by every query
  std::vector<KeyRun> local;  // seen causally; ends with the step's own tokens
};

struct AttendArgs {
  int64_t queries = 0;
  int64_t heads = 0;
  int64_t head_dim = 0;
  float scale = 1.0F;
  const RopeTable* rope = nullptr;  // positions of all runs and queries are reserved
  const float* q = nullptr;         // [queries, heads, head_dim], un-rotated
  int64_t query_position = 0;       // of the first query; the others follow
  // >= 0: far keys are not turned, and queries meet them at this one distance (`clamp`).
  int64_t far_distance = -1;
  int64_t sliding_window = 0;         // keys a query sees of `local`, itself included; 0: all before it
  std::span<const HeadGroup> groups;  // all with the same number of local keys
};

// out: [queries, heads, head_dim]. lse: [heads, queries], the logarithm of each softmax's sum, or null.
// Results do not depend on the number of threads.
void Attend(ThreadPool& pool, const AttendArgs& args, float* out, float* lse);

}  // namespace ltri

#endif  // LTRI_OPS_ATTEND_H_
