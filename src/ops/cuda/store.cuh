// Finding tokens in a sequence's store.
#ifndef LTRI_OPS_CUDA_STORE_CUH_
#define LTRI_OPS_CUDA_STORE_CUH_

#include <cuda_fp16.h>

#include "ops/cuda/types.h"

namespace ltri::cuda {

// One layer of a sequence.
struct LayerStore {
  Half* const* blocks;
  int64_t offset;  // halves of a block before this layer
  int32_t head_dim;

  __device__ LayerStore(const SequenceRef& sequence, const HeadShape& shape, int64_t layer)
      : blocks(sequence.blocks),
        offset(layer * shape.kv_heads * 2 * kBlockTokens * shape.head_dim),
        head_dim(shape.head_dim) {}

  __device__ __half* Key(int32_t kv_head, int32_t token) const {
    return reinterpret_cast<__half*>(blocks[token / kBlockTokens]) + offset +
           (static_cast<int64_t>(kv_head) * 2 * kBlockTokens + token % kBlockTokens) * head_dim;
  }
  __device__ int64_t ToValue() const { return static_cast<int64_t>(kBlockTokens) * head_dim; }
};

// The keys of a view, numbered from the first far one.
struct ViewKeys {
  LayerView view;
  const int32_t* rows;
  const int32_t* places;

  __device__ ViewKeys(const SequenceRef& sequence, int64_t layer)
      : view(sequence.views[layer]),
        rows(sequence.rows + layer * sequence.most_far),
        places(view.far_cached != 0 ? sequence.places + layer * sequence.most_far : rows) {}

  __device__ int32_t count() const { return view.far + view.end - view.local_begin; }
  // Where the key is stored.
  __device__ int32_t Token(int32_t key) const {
    return key >= view.far ? view.local_begin + key - view.far : places[key];
  }
  __device__ int32_t Position(int32_t key) const {
    return key < view.far && view.far_true != 0 ? rows[key] : view.local_position - view.far + key;
  }
};

// What a key before a query's window scores: so little that it counts nothing beside the query's own key, and finite,
// since the first tiles of a row may hold no other. Times any scale it is exact.
constexpr float kOutside = -0x1p100F;

// Of a block's queries from the one whose own key is `first`: the first tile of `tile` keys that one of them sees.
__device__ inline int FirstTile(const ViewKeys& view, int first, int tile) {
  const int window = view.view.window;
  return window > 0 ? max(0, first + 1 - window) / tile : 0;
}

}  // namespace ltri::cuda

#endif  // LTRI_OPS_CUDA_STORE_CUH_
