// Span: a stretch of tokens that attend to each other, found in one layer's band of attention.
#ifndef LTRI_SPANS_SPAN_H_
#define LTRI_SPANS_SPAN_H_

#include <cstdint>

namespace ltri {

struct Span {
  int64_t begin = 0;     // first token, counted from the start of the text
  int64_t end = 0;       // one past the last token
  float score = 0;       // triangle score; 0 where the selector does not look at the band
  float confidence = 0;  // 0..1: score against that of eight shifted rivals

  int64_t length() const { return end - begin; }
  bool operator==(const Span&) const = default;
};

}  // namespace ltri

#endif  // LTRI_SPANS_SPAN_H_
