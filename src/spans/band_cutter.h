// BandCutter: what the selectors that read the band share: scores, cadence, commit horizon, confidence.
#ifndef LTRI_SPANS_BAND_CUTTER_H_
#define LTRI_SPANS_BAND_CUTTER_H_

#include <cstdint>
#include <span>
#include <vector>

#include "spans/span_cutter.h"
#include "spans/triangle_score.h"

namespace ltri {

class BandCutter : public SpanCutter {
 public:
  bool NeedsBand() const override { return true; }
  void Push(std::span<const float> row) override;
  void CutRest() override;

 protected:
  explicit BandCutter(const SpanCutterOptions& options);

  // Ends of the spans that best cover [begin, end) of `scores`, ascending, each at most max_span after the one before.
  // The last may stop short of `end` by less than max_span.
  virtual void FindEnds(const TriangleScore& scores, int64_t begin, int64_t end, std::vector<int64_t>* ends) = 0;

 private:
  void OnTruncate(int64_t tokens, int64_t tail) override;
  void OnSave(StateWriter* state) const override { scores_.Save(state); }
  void OnRestore(StateReader* state) override;
  void Cut();
  void CommitUntil(int64_t end);

  TriangleScore scores_;
  std::vector<int64_t> ends_;  // scratch
};

}  // namespace ltri

#endif  // LTRI_SPANS_BAND_CUTTER_H_
