// dense: every token sees everything before it, at true positions.
#include "attention/layered_method.h"
#include "attention/registry.h"

namespace ltri {
namespace {

class Dense : public LayeredMethod {
 public:
  Dense(const MethodContext& context, const SessionOptions& options) : LayeredMethod(context, options) {}

  bool SeesAll(int64_t /*tokens*/) const override { return true; }
  std::unique_ptr<Method> Fork() const override { return std::make_unique<Dense>(*this); }

 protected:
  Status ChooseView(ThreadPool& /*pool*/, int64_t /*layer*/, const float* /*q*/, View* view) override {
    view->SeeEverything();
    return {};
  }
};

}  // namespace

Result<std::unique_ptr<Method>> MakeDense(const MethodContext& context, const SessionOptions& options) {
  return std::unique_ptr<Method>(std::make_unique<Dense>(context, options));
}

}  // namespace ltri
