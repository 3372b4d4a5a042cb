// SpanList: the spans of one layer in text order, and which of them a file has already.
//
// Spans that are stored in an index change only when a text is cut back, so they are saved once, as blocks of
// kSavedSpans; a state has the rest. Thread safety: none.
#ifndef LTRI_MEMORY_SPAN_LIST_H_
#define LTRI_MEMORY_SPAN_LIST_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "base/serial.h"
#include "memory/tier.h"
#include "spans/span.h"

namespace ltri {

class SpanList {
 public:
  const std::vector<Span>& all() const { return spans_; }
  void Append(const Span& span) { spans_.push_back(span); }

  // Forgets the spans that end behind `tokens`. stored: of those that are left, how many an index has.
  void Truncate(int64_t tokens, int64_t stored);

  // stored: the first spans, which an index has. tier: makes references to what is in the file.
  Status Save(const std::shared_ptr<BlockFile>& file, Tier& tier, int64_t stored, StateWriter* state);
  // What Save wrote of a text of `tokens`, for an empty list. *stored: as it was given.
  Status Restore(const std::shared_ptr<BlockFile>& file, Tier& tier, int64_t tokens, StateReader* state,
                 int64_t* stored);

  int64_t bytes() const { return static_cast<int64_t>(spans_.capacity() * sizeof(Span)); }

 private:
  static constexpr int64_t kSavedSpans = 1024;

  std::vector<Span> spans_;
  std::vector<BlockRef> saved_;  // the first kSavedSpans of them, the next, ...: in a file
};

}  // namespace ltri

#endif  // LTRI_MEMORY_SPAN_LIST_H_
