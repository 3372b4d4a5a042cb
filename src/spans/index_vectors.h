// Which tokens' keys represent a span in the index.
#ifndef LTRI_SPANS_INDEX_VECTORS_H_
#define LTRI_SPANS_INDEX_VECTORS_H_

#include <cstdint>
#include <span>
#include <vector>

#include "ltri/options.h"

namespace ltri {

struct IndexRule {
  IndexVectors kind = IndexVectors::kEven;
  int64_t count = 2;     // for kEven and kReceived; >= 1
  int64_t fewest = 1;    // for kDynamic: a span of confidence >= sure
  int64_t most = 6;      //               a span of confidence <= unsure
  float unsure = 0.10F;  // the range that confidences take in practice
  float sure = 0.25F;
};

// Number of keys that represent a span of `length` tokens: 4 for kMean4 (they are averaged), never above `length`.
int64_t IndexCount(const IndexRule& rule, int64_t length, float confidence);

// Whether the rule asks for the attention that each token received.
bool NeedsReceived(const IndexRule& rule);

// Fills `offsets` with the tokens chosen, counted from the span's first, ascending. `received` is the attention that
// each of the span's tokens received: [length], or empty, and then the choice is as even as kEven's.
void ChooseIndexTokens(const IndexRule& rule, int64_t length, float confidence, std::span<const float> received,
                       std::vector<int32_t>* offsets);

}  // namespace ltri

#endif  // LTRI_SPANS_INDEX_VECTORS_H_
