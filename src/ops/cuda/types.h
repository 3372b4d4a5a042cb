// What kernels are told of weights, of a sequence's past and of a step's view of it. Plain data that lies on the card
// or points there.
#ifndef LTRI_OPS_CUDA_TYPES_H_
#define LTRI_OPS_CUDA_TYPES_H_

#include <cstdint>

#include "base/half.h"

namespace ltri::cuda {

// The 16-bit type of activations and unpacked weights: bfloat16 for bfloat16 weights, half for all others.
enum class Float16 { kHalf, kBfloat };

// How a matrix lies on the card. Packed weights of any kind become one of two forms that are read 16 bytes at a time.
enum class Packing {
  kHalf,  // [rows, cols]
  kBfloat,
  kInt4,  // [rows, cols / 2], byte j of each 16: values j and j + 16; a scale and a minimum (halves) for each 32 values
  kInt8,  // [rows, cols]; a scale (half) for each 16 or 32 values
};

struct DeviceMatrix {
  Packing packing = Packing::kHalf;
  int64_t rows = 0;
  int64_t cols = 0;
  int64_t group = 32;      // values that share a scale
  void* values = nullptr;  // value = number * scale (+ minimum)
  void* scales = nullptr;

  bool empty() const { return values == nullptr; }
};

// Keys are stored un-rotated, 16 bits, in blocks of tokens:
// block: [layers, kv_heads, keys | values, kBlockTokens, head_dim].
inline constexpr int32_t kBlockTokens = 256;

// Tokens of a sequence; behind them come its slots, which hold copies of far keys and values of each layer.
inline constexpr int32_t kMostTokens = 1 << 24;

// What the queries of a step see of one layer. Key i < far is token rows[i]; the others are the tokens from local_begin
// to end. Queries are the last tokens before end.
struct LayerView {
  int32_t far = 0;
  int32_t local_begin = 0;
  int32_t local_position = 0;  // of the first local key
  int32_t end = 0;             // tokens, those of the step included
  int32_t far_true = 0;        // 1: far keys stand at their real positions; 0: right before the local ones
  int32_t far_cached = 0;      // 1: far keys are read where places says, in the order of rows
  int32_t host_end = 0;        // tokens from the second block to here may lie on the host
  int32_t window = 0;          // so many tokens a query sees, itself included; 0: all that the view shows
};

// A sequence as kernels see it. Lives on the card, so that a recorded step serves whatever sequence it is filled with.
struct SequenceRef {
  Half* const* blocks = nullptr;     // [(kMostTokens + slots) / kBlockTokens]
  const LayerView* views = nullptr;  // [layers]
  const int32_t* rows = nullptr;     // [layers, most_far]
  const int32_t* places = nullptr;   // [layers, most_far] where the rows are read: there, or from a slot
  int64_t most_far = 0;

  bool operator==(const SequenceRef&) const = default;
};

// Sizes that all attention kernels share.
struct HeadShape {
  int32_t heads = 0;
  int32_t kv_heads = 0;
  int32_t head_dim = 0;  // 64, 128 or 256
  int32_t layers = 0;
  float scale = 1.0F;

  int64_t BlockHalves() const { return int64_t{layers} * kv_heads * 2 * kBlockTokens * head_dim; }
};

// Rotary embedding: cos and sin of every position in use. Dimension i turns with i + head_dim / 2; of heads that turn
// in part only, the pairs behind those that turn have cos 1 and sin 0.
struct RopeView {
  const float* table = nullptr;  // [positions, cos x head_dim / 2 | sin x head_dim / 2]
  int64_t positions = 0;
};

}  // namespace ltri::cuda

#endif  // LTRI_OPS_CUDA_TYPES_H_
