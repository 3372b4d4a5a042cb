// What a model costs in weights: the bytes that a decoded token reads and the sums that a token of a prompt takes.
#ifndef LTRI_BENCH_MODEL_COST_H_
#define LTRI_BENCH_MODEL_COST_H_

#include <cstdint>

#include "weights/gguf_model.h"

namespace ltri {

struct ModelCost {
  int64_t bytes_per_decoded = 0;  // matrices of all layers and the output matrix; of the embedding one row
  int64_t flops_per_prompt = 0;   // multiplications and additions of the layers' matrices; without attention
};

ModelCost CostOfModel(const LoadedModel& model);

}  // namespace ltri

#endif  // LTRI_BENCH_MODEL_COST_H_
