// Confidence of a span: how far its score stands out among eight rivals with one or both ends shifted.
#ifndef LTRI_SPANS_CONFIDENCE_H_
#define LTRI_SPANS_CONFIDENCE_H_

#include <cstdint>

#include "spans/triangle_score.h"

namespace ltri {

// S / (S + sum over rivals of max(S_rival, 0) * IoU), 0 where S <= 0. Ends move by an eighth of the length, at least 2
// tokens. Rivals that leave the kept rows, the text or the band do not count. Row end-1 must be kept.
float Confidence(const TriangleScore& scores, int64_t begin, int64_t end);

}  // namespace ltri

#endif  // LTRI_SPANS_CONFIDENCE_H_
