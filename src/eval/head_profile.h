// Retrieval heads: which heads copy the answer from its place in the text (Wu et al., arXiv 2404.15574).
#ifndef LTRI_EVAL_HEAD_PROFILE_H_
#define LTRI_EVAL_HEAD_PROFILE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "eval/needle.h"
#include "ltri/model.h"

namespace ltri {

struct HeadProfile {
  std::vector<float> scores;  // [layers * heads], 0..1
  int64_t prompts = 0;        // read
  int64_t answered = 0;       // answered rightly; only these count
};

struct HeadProfileOptions {
  int64_t prompts = 20;
  int64_t tokens = 1536;  // of each prompt
  uint64_t seed = 1;
};

// Reads needle prompts densely. Each time a generated token equals the context token that a head attends to most, and
// that token lies in the evidence, the head gets 1 / |evidence|; the score is the mean over prompts answered rightly.
// Progress counts prompts. Error kUnsupported when the model answers none.
Result<HeadProfile> ProfileHeads(const std::shared_ptr<Model>& model, const Haystack& haystack,
                                 const HeadProfileOptions& options, const ProgressCallback& progress = {});

// The file beside a model that `ltri head-profile` writes: model.gguf -> model.heads.json.
std::string HeadTablePath(const std::string& model_path);
Status SaveHeadTable(const std::string& path, const ModelInfo& info, const HeadProfile& profile);
// Error kNotFound when there is none, kCorrupt when it does not fit the model.
Result<std::vector<float>> LoadHeadTable(const std::string& path, const ModelInfo& info);

}  // namespace ltri

#endif  // LTRI_EVAL_HEAD_PROFILE_H_
