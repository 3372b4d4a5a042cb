// The two ways to attend on a CPU; Attend (attend.cc) chooses by the number of queries.
#ifndef LTRI_OPS_CPU_ATTEND_H_
#define LTRI_OPS_CPU_ATTEND_H_

#include "ops/attend.h"

namespace ltri {

// Many queries: keys are turned once into float tiles that matrix products run over.
void AttendBlock(ThreadPool& pool, const AttendArgs& args, float* out, float* lse);

// Few queries: the keys of each query are split over tasks and turned in registers.
void AttendSingle(ThreadPool& pool, const AttendArgs& args, float* out, float* lse);

}  // namespace ltri

#endif  // LTRI_OPS_CPU_ATTEND_H_
