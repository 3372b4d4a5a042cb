// Retrieval heads: which heads copy the answer from its place in the text (Wu et al., arXiv 2404.15574).
#ifndef LTRI_EVAL_HEAD_PROFILE_H_
#define LTRI_EVAL_HEAD_PROFILE_H_

#include <cstdint>
#include <memory>

#include "eval/needle.h"
#include "ltri/model.h"
#include "weights/head_table.h"

namespace ltri {

struct HeadProfileOptions {
  int64_t prompts = 20;
  int64_t tokens = 1536;  // of each prompt
  uint64_t seed = 1;
};

// Reads needle prompts densely. Each time a generated token equals the context token that a head attends to most, and
// that token lies in the evidence, the head gets 1 / |evidence|; the score is the mean over prompts answered rightly.
// Progress counts prompts. Error kUnsupported when the model answers none.
Result<HeadTable> ProfileHeads(const std::shared_ptr<Model>& model, const Haystack& haystack,
                               const HeadProfileOptions& options, const ProgressCallback& progress = {});

}  // namespace ltri

#endif  // LTRI_EVAL_HEAD_PROFILE_H_
