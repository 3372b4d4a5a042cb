// A head table for weights that are drawn at random and thus have no heads that copy.
#ifndef LTRI_BENCH_DRAWN_HEADS_H_
#define LTRI_BENCH_DRAWN_HEADS_H_

#include <cstdint>
#include <vector>

namespace ltri {

// Of a model like those that were measured: one head in 21, which is 48 of 1,024.
int64_t UsualCopyingHeads(int64_t layers, int64_t heads);

// [layers * heads] scores of which `count` are not 0: of heads drawn at random between a sixth and seven eighths of the
// depth, where measured models have theirs; where those are too few, of the lowest others. Always the same.
std::vector<float> DrawHeadTable(int64_t layers, int64_t heads, int64_t count);

}  // namespace ltri

#endif  // LTRI_BENCH_DRAWN_HEADS_H_
