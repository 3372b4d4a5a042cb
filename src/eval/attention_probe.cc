#include "eval/attention_probe.h"

#include <algorithm>

#include "ops/local_probability.h"

namespace ltri {

AttentionProbe::AttentionProbe(const MethodContext& context)
    : LayeredMethod(context, SessionOptions{}),
      top_(static_cast<size_t>(context.config->layers * context.config->heads), -1) {}

void AttentionProbe::Attended(ThreadPool& pool, int64_t layer, const AttendArgs& args, const float* lse) {
  const int64_t keys = step().end();
  std::vector<float> received(static_cast<size_t>(args.heads * keys), 0.0F);
  ReceivedAttention(pool, args, lse, received.data());
  for (int64_t h = 0; h < args.heads; ++h) {
    const auto first = received.begin() + h * keys;
    top_[static_cast<size_t>(layer * args.heads + h)] = std::max_element(first, first + keys) - first;
  }
}

}  // namespace ltri
