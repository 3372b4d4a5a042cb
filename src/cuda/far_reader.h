// FarReader: brings the far keys and values that layers have chosen from a file to slots on the card.
//
// What a layer chooses is known to the host once the card has chosen. Reading the file and copying to the slots then go
// on beside the card's work, on a stream of their own: a layer waits for its own slots only.
#ifndef LTRI_CUDA_FAR_READER_H_
#define LTRI_CUDA_FAR_READER_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "base/thread_pool.h"
#include "cuda/device_context.h"
#include "cuda/device_store.h"
#include "cuda/slot_table.h"
#include "ops/cuda/device.h"

namespace ltri::cuda {

// Belongs to one sequence, whose store has a file and slots. Errors are kept until TakeStatus: kernels are queued
// meanwhile all the same, what they compute is worth nothing then.
class FarReader {
 public:
  FarReader(DeviceContext* context, const DeviceStore& store);
  // Its slots are copies too.
  FarReader(const FarReader& other);
  FarReader& operator=(const FarReader&) = delete;
  ~FarReader();

  // The choice of `layer` has been queued: waits for it and finds where its far rows are read. from_host: also those in
  // the host's memory are worth a slot, because many tokens to come will see them.
  void Arrange(const DeviceStore& store, int64_t layer, bool from_host);
  // Before attention of `layer` is queued: fills the slots that it lacks.
  void Fill(ThreadPool& pool, const SequenceRef* sequence, const DeviceStore& store, int64_t layer);

  // The text was cut back.
  void Forget();
  // The first error since this was asked last.
  Status TakeStatus();

 private:
  struct Layer {
    SlotTable slots;
    std::vector<SlotTable::Fill> from_disk, from_host;
  };
  // Rows on their way, and the slots that they go to.
  struct Staging {
    std::unique_ptr<PinnedBuffer> rows, tokens;
    Event taken;  // by the card
  };
  static constexpr int kStagings = 2;

  Status ReadRuns(ThreadPool& pool, const DeviceStore& store, int64_t layer, Staging& staging) const;
  void CopyFromHost(const SequenceRef* sequence, const DeviceStore& store, int64_t layer);
  void Fail(Status status);

  DeviceContext* context_;
  Stream copies_;
  std::vector<Layer> layers_;
  Staging stagings_[kStagings];
  int next_ = 0;  // staging
  Status status_;
};

}  // namespace ltri::cuda

#endif  // LTRI_CUDA_FAR_READER_H_
