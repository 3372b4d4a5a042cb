// The model hub that names such as "owner/name" refer to.
#ifndef LTRI_WEIGHTS_HUB_ENDPOINT_H_
#define LTRI_WEIGHTS_HUB_ENDPOINT_H_

#include <string>

namespace ltri {

// Its URL, with a slash at the end: $MODEL_ENDPOINT or $HF_ENDPOINT, or llama.cpp's choice.
std::string HubEndpoint();

}  // namespace ltri

#endif  // LTRI_WEIGHTS_HUB_ENDPOINT_H_
