// BandQueue: bands of attention on their way from the card to the cutters on the host. While the card computes a step,
// the bands of the step before come and are cut.
#ifndef LTRI_CUDA_BAND_QUEUE_H_
#define LTRI_CUDA_BAND_QUEUE_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "ops/cuda/device.h"

namespace ltri::cuda {

// Copies share what waits: it is not written again.
class BandQueue {
 public:
  // One step's rows.
  struct Bands {
    int64_t begin = 0;
    int64_t count = 0;
    std::shared_ptr<PinnedBuffer> rows;  // [layers, count, width]; null: rows that say nothing
    std::shared_ptr<Event> here;

    // rows of a layer, once they are here.
    const float* Layer(int64_t layer, int64_t width) const {
      return rows == nullptr ? nullptr : rows->as<float>() + layer * count * width;
    }
  };

  bool empty() const { return waiting_.empty(); }
  int64_t size() const { return static_cast<int64_t>(waiting_.size()); }

  // A buffer of `bytes` for the coming step.
  std::shared_ptr<PinnedBuffer> Take(int64_t bytes) {
    for (Kept& kept : buffers_) {
      if (kept.bytes >= bytes && kept.buffer.use_count() == 1) return kept.buffer;
    }
    std::erase_if(buffers_, [](const Kept& kept) { return kept.buffer.use_count() == 1; });
    buffers_.push_back({std::make_shared<PinnedBuffer>(bytes), bytes});
    return buffers_.back().buffer;
  }

  void Push(Bands bands) { waiting_.push_back(std::move(bands)); }
  // The oldest, waited for.
  Bands Pop() {
    Bands bands = std::move(waiting_.front());
    waiting_.pop_front();
    if (bands.here != nullptr) bands.here->Wait();
    return bands;
  }

 private:
  struct Kept {
    std::shared_ptr<PinnedBuffer> buffer;
    int64_t bytes;
  };

  std::deque<Bands> waiting_;
  std::vector<Kept> buffers_;
};

}  // namespace ltri::cuda

#endif  // LTRI_CUDA_BAND_QUEUE_H_
