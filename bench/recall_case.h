// What one layer of a long text votes on: an index of spans, and queries that look through it.
#ifndef LTRI_BENCH_RECALL_CASE_H_
#define LTRI_BENCH_RECALL_CASE_H_

#include <cmath>
#include <cstdint>
#include <vector>

#include "memory/span_index.h"
#include "spans/ballot.h"
#include "spans/span.h"
#include "support/index_contents.h"
#include "support/ops_reference.h"

namespace ltri {

// `spans` spans of one vector a head, near one of 64 topics as keys of real texts are.
inline SpanIndex MakeSpanIndex(int64_t spans, int64_t heads, int64_t head_dim) {
  testing::Operands any(3);
  const int64_t numbers = heads * head_dim;
  const std::vector<float> topics = any.Floats(64 * numbers, 2.0F);
  SpanIndex index(heads, head_dim, Tier::Create());
  index.SetMean(std::vector<float>(static_cast<size_t>(numbers), 0.0F));
  for (int64_t s = 0; s < spans; ++s) {
    std::vector<float> vectors = any.Floats(numbers);
    const float* topic = topics.data() + any.Int(0, 63) * numbers;
    for (float& value : vectors) value += *topic++;
    index.Append(vectors.data(), 1);
  }
  index.Seal();
  return index;
}

// Votes on a share of `count` spans.
inline Ballot MakeBallot(int64_t count, float share) {
  testing::Operands any(4);
  Ballot ballot;
  for (int32_t s = 0; s < count; ++s) {
    if (std::abs(any.Float(1.0F)) < share) ballot.push_back({s, std::abs(any.Float(1.0F))});
  }
  return ballot;
}

// Spans of 8 to 26 tokens, one after the other.
inline std::vector<Span> MakeSpans(int64_t count) {
  testing::Operands any(5);
  std::vector<Span> spans;
  int64_t begin = 64;
  for (int64_t s = 0; s < count; ++s) {
    const int64_t end = begin + any.Int(8, 26);
    spans.push_back({begin, end});
    begin = end;
  }
  return spans;
}

}  // namespace ltri

#endif  // LTRI_BENCH_RECALL_CASE_H_
