// The head table of a model: how much each query head copies from the text, which says whose votes on spans count.
//
// `ltri head-profile` makes one and leaves it beside the model. Some models' tables come with the program; they are
// known by their weights, so that every quantisation finds its own.
#ifndef LTRI_WEIGHTS_HEAD_TABLE_H_
#define LTRI_WEIGHTS_HEAD_TABLE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "ltri/model.h"
#include "ltri/result.h"
#include "weights/model_weights.h"

namespace ltri {

struct HeadTable {
  std::vector<float> scores;  // [layers * heads], >= 0
  int64_t prompts = 0;        // that were read for it
  int64_t answered = 0;       // that the model answered rightly; only these count
};

// A number that the quantisations of one model share and other models do not: the checksum of the last norm, which
// files keep as floats.
uint64_t WeightsId(const ModelWeights& weights);

// The file beside a model: model.gguf -> model.heads.json.
std::string HeadTablePath(const std::string& model_path);
Status SaveHeadTable(const std::string& path, const ModelInfo& info, const HeadTable& table);
// Its scores. Error kNotFound when there is none, kCorrupt when it is not of this model.
Result<std::vector<float>> LoadHeadTable(const std::string& path, const ModelInfo& info);

// The scores in the file beside the model, else those that come with the program, else nothing. Error kCorrupt.
Result<std::vector<float>> FindHeadTable(const ModelInfo& info);

}  // namespace ltri

#endif  // LTRI_WEIGHTS_HEAD_TABLE_H_
