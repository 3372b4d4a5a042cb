// Runs a check with each SIMD target that this CPU has and the build contains.
#ifndef LTRI_TESTS_SUPPORT_SIMD_TARGETS_H_
#define LTRI_TESTS_SUPPORT_SIMD_TARGETS_H_

#include <gtest/gtest.h>
#include <hwy/highway.h>
#include <hwy/targets.h>

#include <cstdint>
#include <functional>

namespace ltri::testing {

inline void ForEachSimdTarget(const std::function<void()>& check) {
  for (const int64_t target : hwy::SupportedAndGeneratedTargets()) {
    SCOPED_TRACE(hwy::TargetName(target));
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    check();
    hwy::SetSupportedTargetsForTest(0);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  }
}

}  // namespace ltri::testing

#endif  // LTRI_TESTS_SUPPORT_SIMD_TARGETS_H_
