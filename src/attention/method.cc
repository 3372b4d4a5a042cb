#include "attention/method.h"

namespace ltri {

Result<std::vector<TokenRange>> Method::Join(ThreadPool& /*pool*/, std::span<Method* const> /*texts*/) {
  return Error{ErrorCode::kUnsupported, "only ltri and infllm answer from several texts at once; take --method ltri"};
}

}  // namespace ltri
