#include "weights/hub_endpoint.h"

#include "common.h"

namespace ltri {

std::string HubEndpoint() { return common_get_model_endpoint(); }

}  // namespace ltri
