#include "bench/model_cost.h"

namespace ltri {

ModelCost CostOfModel(const LoadedModel& model) {
  const ModelWeights& weights = model.weights;
  ModelCost cost;
  cost.bytes_per_decoded = weights.embedding.row_bytes + weights.output.rows * weights.output.row_bytes;
  for (const LayerWeights& layer : weights.layers) {
    for (const Matrix* matrix : {&layer.q, &layer.k, &layer.v, &layer.o, &layer.gate, &layer.up, &layer.down}) {
      cost.bytes_per_decoded += matrix->rows * matrix->row_bytes;
      cost.flops_per_prompt += 2 * matrix->rows * matrix->cols;
    }
  }
  return cost;
}

}  // namespace ltri
