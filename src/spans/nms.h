// NmsCutter: spans by greedy choice with non-maximum suppression, the selector the paper describes; for comparison.
#ifndef LTRI_SPANS_NMS_H_
#define LTRI_SPANS_NMS_H_

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "spans/band_cutter.h"
#include "spans/triangle_score.h"

namespace ltri {

struct NmsCandidate {
  int64_t begin = 0;
  int64_t end = 0;  // exclusive
  float rank = 0;   // score, or score / length; > 0
};

// Candidates in [begin, end) with a positive rank that none of the 8 neighbours (either end moved by one) exceeds.
std::vector<NmsCandidate> FindPeaks(const TriangleScore& scores, int64_t begin, int64_t end, int64_t min_span,
                                    bool length_normalised);

// Accepts by descending rank what overlaps nothing accepted before; ties go to the earlier, then the shorter.
// The accepted ones come back in text order.
std::vector<NmsCandidate> SuppressOverlaps(std::vector<NmsCandidate> candidates);

// Fills the gaps between accepted spans (in text order): a gap of min_span or more becomes spans, a smaller one joins
// the span after it, or the one before if the sum would be too long. No span is longer than max_span. Returns all ends.
std::vector<int64_t> FillGaps(std::span<const NmsCandidate> accepted, int64_t begin, int64_t end, int64_t min_span,
                              int64_t max_span);

class NmsCutter final : public BandCutter {
 public:
  explicit NmsCutter(const SpanCutterOptions& options) : BandCutter(options) {}
  std::unique_ptr<SpanCutter> Clone() const override { return std::make_unique<NmsCutter>(*this); }

 private:
  void FindEnds(const TriangleScore& scores, int64_t begin, int64_t end, std::vector<int64_t>* ends) override;
};

}  // namespace ltri

#endif  // LTRI_SPANS_NMS_H_
