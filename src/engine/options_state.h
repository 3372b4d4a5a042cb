// The settings of a session as bytes.
#ifndef LTRI_ENGINE_OPTIONS_STATE_H_
#define LTRI_ENGINE_OPTIONS_STATE_H_

#include "base/serial.h"
#include "ltri/options.h"

namespace ltri {

void PutOptions(const SessionOptions& options, StateWriter* to);

// What PutOptions wrote. Numbers may be unfit: MakeMethod tells.
SessionOptions GetOptions(StateReader* from);

}  // namespace ltri

#endif  // LTRI_ENGINE_OPTIONS_STATE_H_
