#include "ops/cuda/launch.cuh"
#include "ops/cuda/tokens.h"

namespace ltri::cuda {
namespace {

constexpr int kThreads = 128;

// 16 bytes of a token's row, and where they are in a block behind the layer's beginning.
struct Unit {
  int64_t in_row;
  int64_t in_block;

  __device__ Unit(const HeadShape& shape, int32_t token, int32_t unit) {
    const int32_t of_head = shape.head_dim / 8;
    in_row = unit;
    in_block =
        (int64_t{unit / of_head} * kBlockTokens + token % kBlockTokens) * of_head + unit % of_head;
  }
};

__device__ int32_t UnitsOf(const HeadShape& shape) { return shape.kv_heads * 2 * shape.head_dim / 8; }

__device__ const uint4* LayerOf(const Half* block, const HeadShape& shape, int64_t layer) {
  return reinterpret_cast<const uint4*>(block) + layer * kBlockTokens * UnitsOf(shape);
}

// A block of threads a token and layer.
__global__ void PackBlockKernel(HeadShape shape, const Half* block, Half* out) {
  const auto token = static_cast<int32_t>(blockIdx.x);
  const uint4* from = LayerOf(block, shape, blockIdx.y);
  uint4* to = reinterpret_cast<uint4*>(out) + (int64_t{blockIdx.y} * kBlockTokens + token) * UnitsOf(shape);
  for (auto i = static_cast<int32_t>(threadIdx.x); i < UnitsOf(shape); i += kThreads) {
    const Unit unit(shape, token, i);
    to[unit.in_row] = from[unit.in_block];
  }
}

// A block of threads a token.
__global__ void PlaceTokensKernel(HeadShape shape, Half* const* blocks, int64_t layer, const Half* rows,
                                  const int32_t* tokens) {
  const int32_t token = tokens[blockIdx.x];
  const uint4* from = reinterpret_cast<const uint4*>(rows) + int64_t{blockIdx.x} * UnitsOf(shape);
  auto* to = const_cast<uint4*>(LayerOf(blocks[token / kBlockTokens], shape, layer));
  for (auto i = static_cast<int32_t>(threadIdx.x); i < UnitsOf(shape); i += kThreads) {
    const Unit unit(shape, token, i);
    to[unit.in_block] = from[unit.in_row];
  }
}

}  // namespace

void PackBlock(Stream stream, const HeadShape& shape, const Half* block, Half* out) {
  Launch(stream, "packing a block", {dim3(kBlockTokens, static_cast<unsigned>(shape.layers)), kThreads},
         PackBlockKernel, shape, block, out);
}

void PlaceTokens(Stream stream, const HeadShape& shape, Half* const* blocks, int64_t layer, const Half* rows,
                 const int32_t* tokens, int64_t count) {
  Launch(stream, "placing tokens", {dim3(static_cast<unsigned>(count)), kThreads}, PlaceTokensKernel, shape, blocks,
         layer, rows, tokens);
}

}  // namespace ltri::cuda
