// PartitionCutter: the exact best partition by dynamic programming, the default selector.
#ifndef LTRI_SPANS_PARTITION_H_
#define LTRI_SPANS_PARTITION_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "spans/band_cutter.h"
#include "spans/triangle_score.h"

namespace ltri {

class PartitionCutter final : public BandCutter {
 public:
  explicit PartitionCutter(const SpanCutterOptions& options) : BandCutter(options) {}
  std::unique_ptr<SpanCutter> Clone() const override { return std::make_unique<PartitionCutter>(*this); }

 private:
  void FindEnds(const TriangleScore& scores, int64_t begin, int64_t end, std::vector<int64_t>* ends) override;

  std::vector<float> best_;  // scratch
};

// best[b] = max over len in [min_span, width] of best[b-len] + S(span of len that ends at b), best[begin] = 0: fills
// `ends` with the ends of the spans on the best path to `end`, or to the last border before it that lengths from
// min_span to width can reach. Among equally good paths the longest last span wins. Returns the path's total.
// Rows [begin, end) must be kept. `best` is scratch.
float BestPartition(const TriangleScore& scores, int64_t begin, int64_t end, int64_t min_span, std::vector<float>* best,
                    std::vector<int64_t>* ends);

}  // namespace ltri

#endif  // LTRI_SPANS_PARTITION_H_
