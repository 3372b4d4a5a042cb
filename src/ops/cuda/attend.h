// Attention over the keys that a view shows (contract: ops/attend.h). One softmax over far and local keys.
#ifndef LTRI_OPS_CUDA_ATTEND_H_
#define LTRI_OPS_CUDA_ATTEND_H_

#include <cstdint>

#include "ops/cuda/device.h"
#include "ops/cuda/types.h"

namespace ltri::cuda {

// A block of queries over gathered tiles (ops/cuda/heads.h): query i sees all keys but those of the queries behind it.
struct AttendBlockArgs {
  HeadShape shape;
  const SequenceRef* sequence = nullptr;  // whose view counts the keys
  int64_t layer = 0;
  int64_t queries = 0;
  int64_t most_keys = 0;         // as given to GatherKeys
  const void* q = nullptr;       // tiles
  const void* keys = nullptr;    // tiles
  const void* values = nullptr;  // tiles
  Float16 type = Float16::kHalf;
  void* out = nullptr;   // [queries, heads, head_dim] of `type`
  float* lse = nullptr;  // [heads, queries] or null
};

// Dimensions of a head that the kernel for warp groups takes. Shared memory of a block of threads that wider heads
// need: five tiles, and some words.
inline constexpr int32_t kMostGroupDim = 128;
inline constexpr int64_t kWideHeadMemory = 5 * 64 * 256 * 2 + 1024;

// The best there is for the card.
void AttendBlock(Stream stream, const AttendBlockArgs& args);

// The two there are. ByWarps runs on every card; ByWarpGroups (wgmma, bulk copies) needs compute capability 9.0 and
// heads of at most kMostGroupDim dimensions, and HasWarpGroups says whether card and build have it.
void AttendBlockByWarps(Stream stream, const AttendBlockArgs& args);
void AttendBlockByWarpGroups(Stream stream, const AttendBlockArgs& args);
bool HasWarpGroups();

// Decoded tokens, one of each sequence: the store is read as it lies, keys are split over the card and the parts merged
// by log-sum-exp. Also appends the tokens' keys and values to the stores.
struct AttendSingleArgs {
  HeadShape shape;  // at most 16 heads share a KV head
  const SequenceRef* sequences = nullptr;
  int64_t count = 1;  // sequences
  int64_t layer = 0;
  RopeView rope;
  const float* projections = nullptr;  // [count, heads + 2 kv_heads, head_dim], un-rotated
  void* scratch = nullptr;             // SingleScratchBytes; cleared before the first call with this count
  float* out = nullptr;                // [count, heads, head_dim]
  float* lse = nullptr;                // [count, heads] or null
  // The views were complete before what is recorded or queued with overlap began: their keys may be read while the
  // kernel before still runs.
  bool settled = false;
  bool few_keys = false;  // some thousands
};

int64_t SingleScratchBytes(const HeadShape& shape, int64_t count);
void AttendSingle(Stream stream, const AttendSingleArgs& args);

}  // namespace ltri::cuda

#endif  // LTRI_OPS_CUDA_ATTEND_H_
