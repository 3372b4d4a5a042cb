// MemoryMap: which parts of a text the last token of an answer drew on, layer by layer, and what was asked for most.
#ifndef LTRI_SERVE_MEMORY_MAP_H_
#define LTRI_SERVE_MEMORY_MAP_H_

#include <cstdint>
#include <vector>

#include "attention/method.h"
#include "engine/session_impl.h"

namespace ltri {

struct MemoryMap {
  int64_t tokens = 0;                           // of the text
  std::vector<std::vector<TokenRange>> layers;  // [layers] what any head could see: ascending, disjoint
  std::vector<RecallShare> votes;               // the most wanted first; empty for methods that ask for nothing
};

MemoryMap MapOf(const Session::Impl& session);

}  // namespace ltri

#endif  // LTRI_SERVE_MEMORY_MAP_H_
