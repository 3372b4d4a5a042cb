// A picture of one layer's spans: attention near the diagonal, and the triangles that were cut from it.
#ifndef LTRI_EVAL_SPAN_PICTURE_H_
#define LTRI_EVAL_SPAN_PICTURE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "ltri/session.h"

namespace ltri {

struct SpanPicture {
  std::string title;
  std::string subtitle;
  TokenRange shown;                 // tokens from left to right
  TokenRange marked;                // the needle: spans that touch it are filled
  BandRecord band;                  // covers `shown`
  std::vector<SpanInfo> spans;      // of the layer, in text order; those outside `shown` are ignored
  std::vector<std::string> pieces;  // the text of each shown token
};

// An SVG file. The diagonal lies level: a token that attends `lag` tokens back is a dot lag / 2 above the middle
// between the two, so a span is a triangle that stands on its text.
std::string DrawSpans(const SpanPicture& picture);

}  // namespace ltri

#endif  // LTRI_EVAL_SPAN_PICTURE_H_
