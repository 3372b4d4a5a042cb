// IndexSegment: vectors of an index that are clustered and do not change any more.
#ifndef LTRI_MEMORY_INDEX_SEGMENT_H_
#define LTRI_MEMORY_INDEX_SEGMENT_H_

#include <cstdint>
#include <vector>

#include "memory/tier.h"
#include "ops/index_scan.h"

namespace ltri {

struct IndexSegment {
  int64_t spans = 0;    // that it stands for
  int64_t vectors = 0;  // of each kept head
  int64_t head_dim = 0;
  // Of each kept head, cluster by cluster: numbers [vectors, head_dim], padded to whole floats, and scales [vectors].
  // Null when no head is kept.
  BlockRef block;
  std::vector<std::vector<uint16_t>> owners;  // [kept heads][vectors] the span of the segment that each stands for

  static constexpr int64_t kMostVectors = 1 << 16;

  static int64_t NumberBytes(int64_t vectors, int64_t head_dim) { return (vectors * head_dim + 3) / 4 * 4; }
  static int64_t HeadBytes(int64_t vectors, int64_t head_dim) {
    return NumberBytes(vectors, head_dim) + vectors * static_cast<int64_t>(sizeof(float));
  }

  int8_t* Numbers(int64_t kept) const {
    return reinterpret_cast<int8_t*>(block->data()) + kept * HeadBytes(vectors, head_dim);
  }
  float* Scales(int64_t kept) const { return reinterpret_cast<float*>(Numbers(kept) + NumberBytes(vectors, head_dim)); }
  // All vectors of a kept head; the block is in RAM.
  IndexView View(int64_t kept) const { return {Numbers(kept), Scales(kept), vectors}; }
};

}  // namespace ltri

#endif  // LTRI_MEMORY_INDEX_SEGMENT_H_
