// The gated feed-forward nonlinearity.
#ifndef LTRI_OPS_ACTIVATION_H_
#define LTRI_OPS_ACTIVATION_H_

#include <cstdint>

#include "weights/model_config.h"

namespace ltri {

// gate[i] = activation(gate[i]) * up[i], i < count.
void GatedActivation(Activation activation, float* gate, const float* up, int64_t count);

}  // namespace ltri

#endif  // LTRI_OPS_ACTIVATION_H_
