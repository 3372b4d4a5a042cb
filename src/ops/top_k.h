// The highest of many values. What is no number is passed over.
#ifndef LTRI_OPS_TOP_K_H_
#define LTRI_OPS_TOP_K_H_

#include <cstdint>
#include <vector>

namespace ltri {

// The k-th highest of x[0, count), k >= 1; minus infinity when there are fewer. highest: the highest.
// scratch: memory that is kept from call to call.
float KthHighest(const float* x, int64_t count, int64_t k, float* highest, std::vector<float>* scratch);

// The indices of all x[i] >= cutoff, ascending.
void AtLeast(const float* x, int64_t count, float cutoff, std::vector<int32_t>* indices);

}  // namespace ltri

#endif  // LTRI_OPS_TOP_K_H_
