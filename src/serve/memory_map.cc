#include "serve/memory_map.h"

#include <algorithm>

namespace ltri {
namespace {

constexpr size_t kMostVotes = 64;

// The ranges as ascending ones that are apart.
std::vector<TokenRange> Merged(std::vector<TokenRange> ranges) {
  std::sort(ranges.begin(), ranges.end(), [](const TokenRange& a, const TokenRange& b) { return a.begin < b.begin; });
  std::vector<TokenRange> merged;
  for (const TokenRange& range : ranges) {
    if (!merged.empty() && range.begin <= merged.back().end) {
      merged.back().end = std::max(merged.back().end, range.end);
    } else {
      merged.push_back(range);
    }
  }
  return merged;
}

}  // namespace

MemoryMap MapOf(const Session::Impl& session) {
  const ModelConfig& config = session.engine().config();
  const Method& method = session.method();
  MemoryMap map;
  map.tokens = session.read();
  const Status looked = session.engine().Run([&](ThreadPool& /*pool*/) {
    for (int64_t layer = 0; layer < config.layers; ++layer) {
      std::vector<TokenRange> seen;
      for (int64_t head = 0; head < config.heads; ++head) {
        const std::vector<TokenRange> visible = method.Visible(layer, head);
        seen.insert(seen.end(), visible.begin(), visible.end());
      }
      map.layers.push_back(Merged(std::move(seen)));
    }
    return Status();
  });
  if (!looked.ok()) map.layers.clear();
  map.votes = session.Recalled();
  if (map.votes.size() > kMostVotes) map.votes.resize(kMostVotes);
  return map;
}

}  // namespace ltri
