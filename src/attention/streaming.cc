// streaming: StreamingLLM (arXiv 2309.17453). Sinks and the window stay; what leaves the window is dropped.
// Positions are those in the cache, so they never exceed sinks + window + block.
#include <algorithm>

#include "attention/layered_method.h"
#include "attention/registry.h"

namespace ltri {
namespace {

class Streaming : public LayeredMethod {
 public:
  Streaming(const MethodContext& context, const SessionOptions& options) : LayeredMethod(context, options) {}

  bool ReadsDensely(int64_t end) const override { return end <= options().sinks + options().window; }
  std::unique_ptr<Method> Fork() const override { return std::make_unique<Streaming>(*this); }

  void EndStep(ThreadPool& pool) override {
    LayeredMethod::EndStep(pool);
    kept_from_ = std::max(kept_from_, size() - options().window);
    for (int64_t layer = 0; layer < config().layers; ++layer) {
      if (!config().IsSliding(layer)) store(layer).Drop(options().sinks, kept_from_);
    }
  }

  bool Truncate(int64_t tokens) override {
    const bool dropped = kept_from_ > options().sinks;
    if (dropped && tokens < size() && tokens - options().window < kept_from_) return false;
    return LayeredMethod::Truncate(tokens);
  }

  void Stretch(ThreadPool& pool, int64_t tokens) override {
    const int64_t before = size();
    kept_from_ = std::max(kept_from_, tokens - options().window);
    StretchStores(pool, tokens, kept_from_);
    for (int64_t layer = 0; layer < config().layers; ++layer) {
      if (!config().IsSliding(layer)) store(layer).Drop(options().sinks, std::min(kept_from_, before));
    }
  }

 protected:
  void ChooseView(ThreadPool& /*pool*/, int64_t /*layer*/, const float* /*q*/, View* view) override {
    const int64_t local = step().begin - options().window;
    if (local <= options().sinks) return view->SeeEverything();
    view->SeeSinks(options().sinks, local, Positions::kCompact);
  }

 private:
  int64_t kept_from_ = 0;  // the first token behind the sinks that may still be read
};

}  // namespace

Result<std::unique_ptr<Method>> MakeStreaming(const MethodContext& context, const SessionOptions& options) {
  return std::unique_ptr<Method>(std::make_unique<Streaming>(context, options));
}

}  // namespace ltri
