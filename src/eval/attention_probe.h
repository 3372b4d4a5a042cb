// AttentionProbe: dense attention that also tells what each head attended to.
#ifndef LTRI_EVAL_ATTENTION_PROBE_H_
#define LTRI_EVAL_ATTENTION_PROBE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "attention/layered_method.h"
#include "engine/engine.h"

namespace ltri {

class AttentionProbe : public LayeredMethod {
 public:
  // Gets the attention of each decoded token in every layer that sees all: received[head * keys + token] is a
  // probability.
  using Watcher = std::function<void(int64_t layer, std::span<const float> received)>;

  AttentionProbe(const MethodContext& context, Watcher watcher);

  bool SeesAll(int64_t /*tokens*/) const override { return true; }
  std::unique_ptr<Method> Fork() const override { return std::make_unique<AttentionProbe>(*this); }

 protected:
  Status ChooseView(ThreadPool& /*pool*/, int64_t /*layer*/, const float* /*q*/, View* view) override {
    view->SeeEverything();
    return {};
  }
  bool WantsStatistics() const override { return step().kind == StepKind::kDecode; }
  void Attended(ThreadPool& pool, int64_t layer, const AttendArgs& args, const float* lse) override;

 private:
  Watcher watcher_;
};

// Reads a prompt up to its last token, which is left to be decoded.
Status ReadButLast(Engine& engine, AttentionProbe& probe, std::span<const TokenId> tokens);

// Decodes the last of `tokens`. logits: of what follows.
Status DecodeLast(Engine& engine, AttentionProbe& probe, std::span<const TokenId> tokens, std::vector<float>* logits);

}  // namespace ltri

#endif  // LTRI_EVAL_ATTENTION_PROBE_H_
