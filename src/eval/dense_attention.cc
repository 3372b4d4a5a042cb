#include "eval/dense_attention.h"

#include <algorithm>

#include "eval/attention_probe.h"

namespace ltri {

Result<DenseAttention> DenseAttention::Measure(Model& model, std::span<const TokenId> prompt) {
  if (prompt.empty()) return Error{ErrorCode::kInvalidArgument, "the prompt has no tokens"};
  Engine& engine = model.engine();
  DenseAttention dense;
  dense.heads_ = engine.config().heads;
  dense.keys_ = static_cast<int64_t>(prompt.size());
  dense.sums_.resize(static_cast<size_t>(engine.config().layers));
  AttentionProbe probe(engine.method_context(), [&](int64_t layer, std::span<const float> received) {
    std::vector<float>& sums = dense.sums_[static_cast<size_t>(layer)];
    sums.reserve(static_cast<size_t>(dense.heads_ * (dense.keys_ + 1)));
    for (int64_t head = 0; head < dense.heads_; ++head) {
      double sum = 0;
      sums.push_back(0);
      for (const float p :
           received.subspan(static_cast<size_t>(head * dense.keys_), static_cast<size_t>(dense.keys_))) {
        sums.push_back(static_cast<float>(sum += static_cast<double>(p)));
      }
    }
  });
  if (Status status = ReadButLast(engine, probe, prompt); !status.ok()) return status.error();
  std::vector<float> logits;
  if (Status status = DecodeLast(engine, probe, prompt, &logits); !status.ok()) return status.error();
  return dense;
}

double DenseAttention::MassVisible(const Session& session) const {
  double mass = 0;
  double count = 0;
  for (size_t layer = 0; layer < sums_.size(); ++layer) {
    if (sums_[layer].empty()) continue;
    for (int64_t head = 0; head < heads_; ++head) {
      const float* sums = sums_[layer].data() + head * (keys_ + 1);
      for (const TokenRange& range : session.Visible(static_cast<int64_t>(layer), head)) {
        mass += static_cast<double>(sums[std::min(range.end, keys_)] - sums[std::min(range.begin, keys_)]);
      }
      ++count;
    }
  }
  return count > 0 ? mass / count : 0.0;
}

}  // namespace ltri
