// Perplexity over a long text, by position: what a method forgets shows as a rise.
#ifndef LTRI_EVAL_PERPLEXITY_H_
#define LTRI_EVAL_PERPLEXITY_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "ltri/model.h"
#include "ltri/options.h"

namespace ltri {

struct PerplexityPart {
  int64_t begin = 0;  // tokens [begin, end) of the text
  int64_t end = 0;
  double loss = 0;  // mean negative log-likelihood of its tokens, in nats
};

struct PerplexityCurve {
  std::vector<PerplexityPart> parts;
  double seconds = 0;
  double Perplexity() const;  // of the whole
};

// Reads `tokens` in blocks, as a prompt is read, and takes the likelihood of each from the block's own step. parts: of
// equal length. Errors: kInvalidArgument (settings, too few tokens), kOutOfMemory, kCancelled.
Result<PerplexityCurve> MeasurePerplexity(Model& model, const SessionOptions& options, std::span<const TokenId> tokens,
                                          int64_t parts, const ProgressCallback& progress = {});

}  // namespace ltri

#endif  // LTRI_EVAL_PERPLEXITY_H_
