// Groups of index vectors that point the same way.
#ifndef LTRI_MEMORY_CLUSTER_VECTORS_H_
#define LTRI_MEMORY_CLUSTER_VECTORS_H_

#include <cstdint>
#include <vector>

namespace ltri {

// The cluster, 0 <= c < clusters, of each vector: spherical k-means from evenly spaced vectors, a few rounds.
// vectors: [count, head_dim], count >= clusters. Clusters may be empty. Deterministic, on one thread.
std::vector<int32_t> ClusterVectors(const float* vectors, int64_t count, int64_t head_dim, int64_t clusters);

}  // namespace ltri

#endif  // LTRI_MEMORY_CLUSTER_VECTORS_H_
