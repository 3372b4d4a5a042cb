#include "serve/memory_gauges.h"

namespace ltri {

void MeasureMemory(const std::vector<Session::Impl*>& serving, const std::vector<Session::Impl*>& kept,
                   const Tier* tier, Metrics* metrics) {
  MemoryUse use;
  for (const Session::Impl* session : serving) {
    const MemoryUse own = session->method().memory();
    use.keys_and_values += own.keys_and_values;
    use.index += own.index;
    use.on_disk += own.on_disk;
  }
  for (const Session::Impl* session : kept) use.on_disk += session->method().memory().on_disk;
  metrics->key_value_bytes = use.keys_and_values;
  metrics->index_bytes = use.index;
  metrics->disk_bytes = use.on_disk;
  metrics->ram_bytes = tier == nullptr ? 0 : tier->resident();
}

void ObserveRecall(const Session::Impl& session, int64_t layers, Metrics* metrics) {
  const std::vector<RecallShare> votes = session.Recalled();
  if (votes.empty()) return;
  size_t spans = 0;
  for (int64_t layer = 0; layer < layers; ++layer) spans += session.method().Spans(layer).size();
  metrics->spans.Observe(static_cast<double>(spans));
  metrics->top_vote.Observe(votes.front().share);
}

}  // namespace ltri
