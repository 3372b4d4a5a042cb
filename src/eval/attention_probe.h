// AttentionProbe: dense attention that also tells which token each head attends to most.
#ifndef LTRI_EVAL_ATTENTION_PROBE_H_
#define LTRI_EVAL_ATTENTION_PROBE_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "attention/layered_method.h"

namespace ltri {

class AttentionProbe : public LayeredMethod {
 public:
  explicit AttentionProbe(const MethodContext& context);

  bool ReadsDensely(int64_t /*end*/) const override { return true; }
  std::unique_ptr<Method> Fork() const override { return std::make_unique<AttentionProbe>(*this); }

  // The token that head `head` of `layer` attended to most in the last decoded step; -1 for sliding-window layers.
  int64_t Top(int64_t layer, int64_t head) const { return top_[static_cast<size_t>(layer * config().heads + head)]; }

 protected:
  void ChooseView(ThreadPool& /*pool*/, int64_t /*layer*/, const float* /*q*/, View* view) override {
    view->SeeEverything();
  }
  bool WantsStatistics() const override { return step().kind == StepKind::kDecode; }
  void Attended(ThreadPool& pool, int64_t layer, const AttendArgs& args, const float* lse) override;

 private:
  std::vector<int64_t> top_;  // [layers * heads]
};

}  // namespace ltri

#endif  // LTRI_EVAL_ATTENTION_PROBE_H_
