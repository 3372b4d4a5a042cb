// All vectors of an index head, open and sealed, as one list.
#ifndef LTRI_TESTS_SUPPORT_INDEX_CONTENTS_H_
#define LTRI_TESTS_SUPPORT_INDEX_CONTENTS_H_

#include <cstdint>
#include <vector>

#include "memory/span_index.h"

namespace ltri::testing {

struct IndexContents {
  std::vector<int8_t> vectors;  // [count, head_dim]
  std::vector<float> scales;
  std::vector<int32_t> owners;

  IndexView View() const { return {vectors.data(), scales.data(), static_cast<int64_t>(scales.size())}; }
};

inline IndexContents ContentsOf(const SpanIndex& index, int64_t head) {
  IndexContents all;
  if (index.kept(head) < 0) return all;
  for (const SpanIndex::Sealed& sealed : index.sealed()) {
    const IndexView view = sealed.segment->View(index.kept(head));
    all.vectors.insert(all.vectors.end(), view.vectors, view.vectors + view.count * index.head_dim());
    all.scales.insert(all.scales.end(), view.scales, view.scales + view.count);
    for (const uint16_t owner : sealed.segment->owners[static_cast<size_t>(index.kept(head))]) {
      all.owners.push_back(static_cast<int32_t>(sealed.first_span) + owner);
    }
  }
  const SpanIndex::Head& open = index.head(head);
  all.vectors.insert(all.vectors.end(), open.vectors.begin(), open.vectors.end());
  all.scales.insert(all.scales.end(), open.scales.begin(), open.scales.end());
  all.owners.insert(all.owners.end(), open.owners.begin(), open.owners.end());
  return all;
}

}  // namespace ltri::testing

#endif  // LTRI_TESTS_SUPPORT_INDEX_CONTENTS_H_
