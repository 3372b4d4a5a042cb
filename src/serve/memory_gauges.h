// What the sessions of a server hold, as metrics.
#ifndef LTRI_SERVE_MEMORY_GAUGES_H_
#define LTRI_SERVE_MEMORY_GAUGES_H_

#include <vector>

#include "engine/session_impl.h"
#include "serve/metrics.h"

namespace ltri {

// The memory of `serving`, the sessions of requests, by part; and of these and `kept`, those of the prefix cache, by
// tier. tier: of all; null: unknown.
void MeasureMemory(const std::vector<Session::Impl*>& serving, const std::vector<Session::Impl*>& kept,
                   const Tier* tier, Metrics* metrics);

// The spans and votes of a request that has ended.
void ObserveRecall(const Session::Impl& session, int64_t layers, Metrics* metrics);

}  // namespace ltri

#endif  // LTRI_SERVE_MEMORY_GAUGES_H_
