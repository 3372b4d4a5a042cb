// What follows a span that is wanted is likely to be wanted next.
#ifndef LTRI_SPANS_FOLLOWERS_H_
#define LTRI_SPANS_FOLLOWERS_H_

#include <cstdint>
#include <span>

#include "spans/ballot.h"
#include "spans/span.h"

namespace ltri {

// What voted spans lend to those behind them: one that begins d < reach tokens after the end of a voted span is lent
// that span's vote times 1 - d / reach. Only loans above a span's own vote are listed; votes that are not positive lend
// nothing. A long identifier falls into several spans, and the text before it, which a question names, asks for the
// first of them only (EM-LLM's contiguous retrieval, arXiv 2407.09450 section 3.3, forward only).
// spans: all of the layer, ascending; ballot: on them; reach: tokens.
Ballot Loans(std::span<const Span> spans, const Ballot& ballot, int64_t reach);

}  // namespace ltri

#endif  // LTRI_SPANS_FOLLOWERS_H_
