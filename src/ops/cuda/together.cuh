// Small work of several sequences or layers in one launch: what each has to do is handed over with the kernel's
// parameters, so that no copy comes before it.
#ifndef LTRI_OPS_CUDA_TOGETHER_CUH_
#define LTRI_OPS_CUDA_TOGETHER_CUH_

#include <algorithm>
#include <cstddef>
#include <span>

namespace ltri::cuda {

constexpr int kTogether = 16;

template <typename Args, int kMost>
struct Together {
  Args of[kMost];
};

// Calls start(Together<Args, 1 or kTogether>, how many of it count) until all of `args` had their turn.
template <typename Args, typename Start>
void StartTogether(std::span<const Args> args, Start&& start) {
  if (args.size() == 1) return start(Together<Args, 1>{{args[0]}}, 1);
  while (!args.empty()) {
    Together<Args, kTogether> some{};
    const size_t count = std::min<size_t>(args.size(), kTogether);
    std::copy_n(args.begin(), count, some.of);
    start(some, static_cast<int>(count));
    args = args.subspan(count);
  }
}

}  // namespace ltri::cuda

#endif  // LTRI_OPS_CUDA_TOGETHER_CUH_
