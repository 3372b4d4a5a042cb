// RopeTables: the rotary tables of a model's layers, grown as positions are needed.
#ifndef LTRI_MODEL_ROPE_TABLES_H_
#define LTRI_MODEL_ROPE_TABLES_H_

#include <cstdint>

#include "ops/rope.h"
#include "weights/model_config.h"

namespace ltri {

// Not thread safe: belongs to whoever runs steps.
class RopeTables {
 public:
  explicit RopeTables(const ModelConfig& config)
      : config_(config), full_(config.rope, false), long_(config.rope, true), local_(config.local_rope, false) {}

  // The table for `layer` with positions [0, count) available. Beyond the original context the long factors of models
  // that have them (longrope) apply to every position, which is why keys are turned late.
  const RopeTable& ForLayer(int64_t layer, int64_t count) {
    RopeTable& table = Choose(layer, count);
    table.Reserve(count);
    return table;
  }

 private:
  RopeTable& Choose(int64_t layer, int64_t count) {
    if (config_.IsSliding(layer)) return local_;
    const bool use_long = !config_.rope.long_factors.empty() && count > config_.rope.original_context;
    return use_long ? long_ : full_;
  }

  const ModelConfig& config_;
  RopeTable full_, long_, local_;
};

}  // namespace ltri

#endif  // LTRI_MODEL_ROPE_TABLES_H_
