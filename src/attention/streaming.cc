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

  bool SeesAll(int64_t tokens) const override { return tokens <= options().sinks + options().window; }
  std::unique_ptr<Method> Fork() const override { return std::make_unique<Streaming>(*this); }

  Status EndStep(ThreadPool& pool) override {
    if (Status status = LayeredMethod::EndStep(pool); !status.ok()) return status;
    kept_from_ = std::max(kept_from_, size() - options().window);
    for (int64_t layer = 0; layer < config().layers; ++layer) {
      if (!config().IsSliding(layer)) store(layer).Drop(options().sinks, kept_from_);
    }
    return {};
  }

  bool Truncate(int64_t tokens) override {
    const bool dropped = kept_from_ > options().sinks;
    if (dropped && tokens < size() && tokens - options().window < kept_from_) return false;
    return LayeredMethod::Truncate(tokens);
  }

  Status Save(const std::shared_ptr<BlockFile>& file, StateWriter* state) override {
    state->Put(kept_from_);
    return LayeredMethod::Save(file, state);
  }

  Status Restore(const std::shared_ptr<BlockFile>& file, StateReader* state) override {
    kept_from_ = state->Get<int64_t>();
    if (Status status = LayeredMethod::Restore(file, state); !status.ok()) return status;
    const int64_t most = std::max(options().sinks, size() - options().window);
    state->Check(kept_from_ >= 0 && kept_from_ <= most, "more was dropped than has left the window");
    return state->status();
  }

  Status Stretch(ThreadPool& pool, int64_t tokens) override {
    const int64_t before = size();
    kept_from_ = std::max(kept_from_, tokens - options().window);
    if (Status status = StretchStores(pool, tokens, kept_from_); !status.ok()) return status;
    for (int64_t layer = 0; layer < config().layers; ++layer) {
      if (!config().IsSliding(layer)) store(layer).Drop(options().sinks, std::min(kept_from_, before));
    }
    return {};
  }

 protected:
  Status ChooseView(ThreadPool& /*pool*/, int64_t /*layer*/, const float* /*q*/, View* view) override {
    const int64_t local = step().begin - options().window;
    if (local <= options().sinks) {
      view->SeeEverything();
    } else {
      view->SeeSinks(options().sinks, local, Positions::kCompact);
    }
    return {};
  }

  std::vector<TokenRange> Needed() const override {
    const int64_t local = size() - options().window;
    if (local <= options().sinks) return {{0, size()}};
    return {{0, options().sinks}, {local, size()}};
  }

 private:
  int64_t kept_from_ = 0;  // the first token behind the sinks that may still be read
};

}  // namespace

Result<std::unique_ptr<Method>> MakeStreaming(const MethodContext& context, const SessionOptions& options) {
  return std::unique_ptr<Method>(std::make_unique<Streaming>(context, options));
}

}  // namespace ltri
