// dense and streaming on the card (attention/dense.cc, attention/streaming.cc).
#include <algorithm>
#include <numeric>

#include "cuda/device_method.h"

namespace ltri::cuda {
namespace {

// Views that the host knows.
class PlainMethod : public DeviceMethod {
 public:
  std::vector<TokenRange> Visible(int64_t layer, int64_t /*head*/) const override {
    const LayerView& seen = view(layer);
    const int64_t begin = seen.window == 0 ? seen.local_begin : std::max(seen.local_begin, seen.end - seen.window);
    if (seen.far == 0) return {{begin, seen.end}};
    return {{0, seen.far}, {begin, seen.end}};
  }

 protected:
  using DeviceMethod::DeviceMethod;

  // Of a layer with full attention.
  virtual LayerView ViewOf(const StepRange& step) const = 0;
  const LayerView& view(int64_t layer) const { return context().config.IsSliding(layer) ? sliding_ : view_; }

  Result<Extent> PlaceViews(ThreadPool& /*pool*/, const StepRange& step) override {
    view_ = ViewOf(step);
    view_.end = static_cast<int32_t>(step.end());
    sliding_ = SlidingView(step);
    std::vector<LayerView> views;
    for (int64_t layer = 0; layer < context().config.layers; ++layer) views.push_back(view(layer));
    store().SetViews(views);
    const int64_t local = view_.end - view_.local_begin;
    const bool slides = context().config.sliding_window > 0;
    const int32_t first = slides ? std::min(view_.local_begin, sliding_.local_begin) : view_.local_begin;
    return Extent{view_.far + local, view_.local_position + local, first};
  }

 private:
  LayerView view_, sliding_;
};

class DeviceDense : public PlainMethod {
 public:
  DeviceDense(DeviceContext* context, const SessionOptions& options)
      : PlainMethod(context, options, 0, BlockPool::Apart()) {}

  bool SeesAll(int64_t /*tokens*/) const override { return true; }
  std::unique_ptr<Method> Fork() const override { return std::make_unique<DeviceDense>(*this); }

 protected:
  LayerView ViewOf(const StepRange& /*step*/) const override { return {}; }
};

class DeviceStreaming : public PlainMethod {
 public:
  DeviceStreaming(DeviceContext* context, const SessionOptions& options)
      : PlainMethod(context, options, options.sinks, BlockPool::Apart()) {
    std::vector<int32_t> sinks(static_cast<size_t>(options.sinks));
    std::iota(sinks.begin(), sinks.end(), 0);
    store().SetRows(sinks);
  }

  bool SeesAll(int64_t tokens) const override { return tokens <= options().sinks + options().window; }
  std::unique_ptr<Method> Fork() const override { return std::make_unique<DeviceStreaming>(*this); }

  bool Truncate(int64_t tokens) override {
    const bool dropped = kept_from_ > options().sinks;
    if (dropped && tokens < size() && tokens - kept_window() < kept_from_) return false;
    return DeviceMethod::Truncate(tokens);
  }

  Status Save(const std::shared_ptr<BlockFile>& file, StateWriter* state) override {
    state->Put(kept_from_);
    return DeviceMethod::Save(file, state);
  }

  Status Restore(const std::shared_ptr<BlockFile>& file, StateReader* state) override {
    kept_from_ = state->Get<int64_t>();
    if (Status status = DeviceMethod::Restore(file, state); !status.ok()) return status;
    const int64_t most = std::max(options().sinks, size() - options().window);
    state->Check(kept_from_ >= 0 && kept_from_ <= most, "more was dropped than has left the window");
    return state->status();
  }

  Status EndStep(ThreadPool& pool) override {
    Status status = DeviceMethod::EndStep(pool);
    DropBefore(size());
    return status;
  }

  Status Stretch(ThreadPool& pool, int64_t tokens) override {
    Status status = DeviceMethod::Stretch(pool, tokens);
    DropBefore(tokens);
    return status;
  }

 protected:
  std::vector<TokenRange> Needed() const override {
    const int64_t local = size() - options().window;
    if (local <= options().sinks) return {{0, size()}};
    return {{0, options().sinks}, {local, size()}};
  }

  LayerView ViewOf(const StepRange& step) const override {
    LayerView view;
    const int64_t local = step.begin - options().window;
    if (local <= options().sinks) return view;
    view.far = static_cast<int32_t>(options().sinks);
    view.local_begin = static_cast<int32_t>(local);
    view.local_position = view.far;
    return view;
  }

 private:
  // Blocks hold all layers: they stay as long as a sliding-window layer sees them, too.
  int64_t kept_window() const { return std::max(options().window, context().config.sliding_window); }

  // What left the window of a text of `tokens`.
  void DropBefore(int64_t tokens) {
    kept_from_ = std::max(kept_from_, tokens - kept_window());
    store().Drop(options().sinks, kept_from_);
  }

  int64_t kept_from_ = 0;  // the first token behind the sinks that may still be read
};

}  // namespace

Result<std::unique_ptr<Method>> MakeDeviceDense(DeviceContext* context, const SessionOptions& options) {
  return std::unique_ptr<Method>(std::make_unique<DeviceDense>(context, options));
}

Result<std::unique_ptr<Method>> MakeDeviceStreaming(DeviceContext* context, const SessionOptions& options) {
  return std::unique_ptr<Method>(std::make_unique<DeviceStreaming>(context, options));
}

}  // namespace ltri::cuda
