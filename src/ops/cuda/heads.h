// From the projections of a block to what attention reads: queries turned and laid out in tiles, keys and values in
// the store, and the keys and values that the block sees gathered into tiles (contracts: ops/rope.h,
// memory/kv_store.h).
#ifndef LTRI_OPS_CUDA_HEADS_H_
#define LTRI_OPS_CUDA_HEADS_H_

#include <cstdint>
#include <span>

#include "ops/cuda/device.h"
#include "ops/cuda/types.h"

namespace ltri::cuda {

// A step's projections: [rows, heads + 2 kv_heads, head_dim], queries, keys, values.
struct Projections {
  float* data = nullptr;
  int64_t rows = 0;
};

// Bytes of a head's tiles for `rows` queries or keys; one head follows the other.
int64_t TileBytes(const HeadShape& shape, int64_t rows);

// Normalises `count` heads from head `first` on, each by itself (ops/rms_norm.h). weight: [head_dim]. dims: dimensions
// of the model's heads; what the card's have beyond is 0.
void NormHeads(Stream stream, const HeadShape& shape, const Projections& p, int32_t first, int32_t count, int64_t dims,
               const float* weight, float epsilon);

// Writes the keys and values of the step's rows, the last tokens before view.end, into the store.
void AppendKeys(Stream stream, const HeadShape& shape, const Projections& p, const SequenceRef* sequence,
                int64_t layer);

// q = the queries turned to their positions, halves. q: [heads] of TileBytes(rows).
void TurnQueries(Stream stream, const HeadShape& shape, const Projections& p, const SequenceRef* sequence,
                 int64_t layer, const RopeView& rope, void* q);

// keys, values = what the view shows, keys turned to their positions, and zeros to the end of the last two tiles. Both
// [kv_heads] of TileBytes(most); there are at most `most` keys.
void GatherKeys(Stream stream, const HeadShape& shape, const SequenceRef* sequence, int64_t layer, const RopeView& rope,
                int64_t most, void* keys, void* values);

// Fills slots of a layer with the keys and values of their tokens, un-rotated.
struct CacheArgs {
  HeadShape shape;
  const SequenceRef* sequence = nullptr;
  int64_t layer = 0;
  const int32_t* tokens = nullptr;   // of all slots
  const int32_t* missing = nullptr;  // how many slots, and which
};
void CacheFarKeys(Stream stream, std::span<const CacheArgs> args);

}  // namespace ltri::cuda

#endif  // LTRI_OPS_CUDA_HEADS_H_
