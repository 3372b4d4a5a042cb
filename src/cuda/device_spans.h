// DeviceSpans: the spans of one layer, cut on the host, and on the card the index over those that have left the window
// with their votes. The twin of memory/span_memory.h.
#ifndef LTRI_CUDA_DEVICE_SPANS_H_
#define LTRI_CUDA_DEVICE_SPANS_H_

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/serial.h"
#include "cuda/device_context.h"
#include "memory/block_file.h"
#include "memory/span_index.h"
#include "memory/span_list.h"
#include "ops/cuda/index.h"
#include "spans/span_cutter.h"

namespace ltri::cuda {

class DeviceSpans {
 public:
  // heads: whose lists outlive the spans. index: empty, with one head for each KV head, of which those are kept that
  // `heads` index: as a file will have them.
  DeviceSpans(DeviceContext* context, int64_t layer, const VotingHeads& heads, std::unique_ptr<SpanCutter> cutter,
              SpanIndex index);
  DeviceSpans(const DeviceSpans& other);
  DeviceSpans& operator=(const DeviceSpans&) = delete;

  const std::vector<Span>& spans() const { return spans_.all(); }
  // Of these, how many are in the index.
  int64_t stored() const { return stored_; }
  // Where the stored spans end: everything from here on is local. 0 when there are none.
  int64_t local_begin() const { return stored_ == 0 ? 0 : spans()[static_cast<size_t>(stored_ - 1)].end; }
  // The token whose row comes next, sinks counted.
  int64_t tokens() const { return cutter_->tokens(); }

  // Rows of the band of tokens [begin, begin + count); sinks are skipped. On any thread. Null: rows that say nothing.
  void Push(int64_t begin, int64_t count, const float* band);

  // Moves the spans that end at or before `limit` into the index, queued. Returns whether anything on the card moved,
  // so that recordings do not hold.
  bool StoreUntil(int64_t limit, const SequenceRef* sequence);

  // The text is over: what is left becomes spans, and all of them are stored, queued.
  void Finish(const SequenceRef* sequence);

  // Puts the spans of a finished text, which has `sinks` sinks, behind these, its token 0 at `begin`: these end there.
  // Its sinks become spans too, unless it is the first text.
  void Append(const DeviceSpans& text, int64_t begin, int64_t sinks);
  // All that was appended is stored, queued, and cutting begins at token `end`, where it ends.
  void StartAt(int64_t end, const SequenceRef* sequence);

  // Brings to the host what Save will write, and groups its vectors; layers may do so at once. Waits for the card.
  void Fetch();
  // As SpanMemory::Save and Restore, for the same files. Waits for the card. Fetch comes before Save.
  Status Save(const std::shared_ptr<BlockFile>& file, StateWriter* state);
  Status Restore(const std::shared_ptr<BlockFile>& file, int64_t tokens, int64_t joined_end, StateReader* state);

  // What was asked for since ClearAsked, of the stored spans. Waits for the card.
  std::vector<float> Asked() const;
  void ClearAsked();

  // Forgets tokens >= `tokens` and all votes; spans that end behind `window_begin` leave the index but stay cut.
  void Truncate(int64_t tokens, int64_t window_begin);

  const DeviceIndex& index() const { return index_; }
  float* cast() const { return cast_.as<float>(); }        // [capacity] votes on the board
  float* weights() const { return weights_.as<float>(); }  // [capacity] persistent weights
  float* asked() const { return asked_.as<float>(); }      // [capacity] votes of the layer, summed
  // Scratch of the layer's choice, [capacity] each: votes of all layers, of followers, of what was taken.
  float* totals() const { return totals_.as<float>(); }
  float* loans() const { return loans_.as<float>(); }
  float* taken() const { return taken_.as<float>(); }
  int64_t bytes() const;
  // What `bytes` of all layers together, which index so many KV heads, may come to when a text is cut into spans of
  // `min_span` tokens.
  static int64_t MostBytes(const HeadShape& shape, int64_t indexed, int64_t tokens, int64_t min_span);

 private:
  static constexpr int64_t kLeastCapacity = 2048;

  // Capacity that is made for `spans`.
  static int64_t Roomy(int64_t spans) { return spans + spans / 4 + kLeastCapacity; }
  void Grow(int64_t capacity);
  void CutAt(int64_t first);
  Status PlaceStored();
  void TellCount();

  DeviceContext* context_;
  int64_t layer_;
  std::unique_ptr<SpanCutter> cutter_;
  SpanList spans_;
  int64_t stored_ = 0;
  SpanIndex saved_;        // the first of the stored spans, as they were saved last
  bool finished_ = false;  // nothing follows: no vectors are left open in saved_, so that it can be joined
  DeviceIndex index_;
  Buffer count_, borders_, vectors_, scales_, mean_, cast_, weights_, asked_, totals_, loans_, taken_;
};

}  // namespace ltri::cuda

#endif  // LTRI_CUDA_DEVICE_SPANS_H_
