// What the index keeps of new spans; index.cu searches it.
#include <algorithm>

#include "ops/cuda/index.h"
#include "ops/cuda/launch.cuh"
#include "ops/cuda/store.cuh"

namespace ltri::cuda {
namespace {

constexpr int kBordersAtOnce = 512;  // that go with a kernel's parameters

dim3 Grid(int64_t x, int64_t y = 1) { return dim3(static_cast<unsigned>(x), static_cast<unsigned>(y)); }

// A block of threads a KV head, a thread a dimension.
__global__ void MeanKeyKernel(HeadShape shape, const SequenceRef* sequence, int64_t layer, int32_t first, int32_t count,
                              DeviceIndex index) {
  const LayerStore store(*sequence, shape, layer);
  const int32_t kv_head = index.heads.kv_heads[blockIdx.x];
  float sum = 0;
  for (int32_t t = first; t < first + count; ++t) sum += __half2float(store.Key(kv_head, t)[threadIdx.x]);
  index.mean[blockIdx.x * shape.head_dim + threadIdx.x] = sum / static_cast<float>(count);
}

struct NewSpans {
  int32_t first;
  int32_t count;
  int32_t borders[kBordersAtOnce];  // one more than spans
};

constexpr int kMostEach = 8;  // dimensions of a lane

// A warp a vector; a lane holds 2, 4 or 8 dimensions.
__global__ void IndexKernel(HeadShape shape, const SequenceRef* sequence, int64_t layer, DeviceIndex index,
                            const __grid_constant__ NewSpans spans) {
  if (blockIdx.x == 0 && blockIdx.y == 0) {
    for (auto i = static_cast<int32_t>(threadIdx.x); i <= spans.count; i += static_cast<int32_t>(blockDim.x)) {
      index.borders[spans.first + i] = spans.borders[i];
    }
    if (threadIdx.x == 0) *index.spans = spans.first + spans.count;
  }
  const int32_t vector = static_cast<int32_t>((blockIdx.x * blockDim.x + threadIdx.x) / kWarp);
  const auto head = static_cast<int32_t>(blockIdx.y);
  if (vector >= spans.count * kSpanVectors || head >= index.heads.indexed) return;
  const int32_t span = vector / kSpanVectors;
  const int32_t part = vector % kSpanVectors;
  const int32_t length = spans.borders[span + 1] - spans.borders[span];
  const int32_t token = spans.borders[span] + length * (2 * part + 1) / (2 * kSpanVectors);
  const LayerStore store(*sequence, shape, layer);
  const __half* key = store.Key(index.heads.kv_heads[head], token);
  const float* mean = index.mean + head * shape.head_dim;
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  float x[kMostEach] = {};
  float largest = 0;
#pragma unroll
  for (int i = 0; i < kMostEach; ++i) {
    if (i >= shape.head_dim / kWarp) break;
    x[i] = __half2float(key[i * kWarp + lane]) - mean[i * kWarp + lane];
    largest = fmaxf(largest, fabsf(x[i]));
  }
  largest = WarpMax(largest);
  const float by = largest > 0 ? 127.0F / largest : 0.0F;
  const int64_t at = (head * index.capacity + spans.first + span) * kSpanVectors + part;
#pragma unroll
  for (int i = 0; i < kMostEach; ++i) {
    if (i >= shape.head_dim / kWarp) break;
    index.vectors[at * shape.head_dim + i * kWarp + lane] = static_cast<int8_t>(__float2int_rn(x[i] * by));
  }
  if (lane == 0) index.scales[at] = largest / 127.0F;
}

}  // namespace

void MeanKey(Stream stream, const HeadShape& shape, const SequenceRef* sequence, int64_t layer, int32_t first,
             int32_t count, const DeviceIndex& index) {
  Launch(stream, "averaging keys", {Grid(index.heads.indexed), shape.head_dim}, MeanKeyKernel, shape, sequence, layer,
         first, count, index);
}

void IndexSpans(Stream stream, const HeadShape& shape, const SequenceRef* sequence, int64_t layer,
                const DeviceIndex& index, int32_t first, std::span<const int32_t> borders) {
  constexpr int kThreads = 256;
  while (borders.size() > 1) {
    NewSpans spans{first, static_cast<int32_t>(std::min<size_t>(borders.size(), kBordersAtOnce)) - 1, {}};
    std::copy_n(borders.begin(), spans.count + 1, spans.borders);
    const int64_t blocks = index.heads.indexed == 0 ? 1 : CeilDiv(spans.count * kSpanVectors, kThreads / kWarp);
    Launch(stream, "indexing spans", {Grid(blocks, std::max(1, index.heads.indexed)), kThreads}, IndexKernel, shape,
           sequence, layer, index, spans);
    first += spans.count;
    borders = borders.subspan(static_cast<size_t>(spans.count));
  }
}

}  // namespace ltri::cuda
