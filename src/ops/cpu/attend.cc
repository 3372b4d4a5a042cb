#include "ops/cpu/attend.h"

namespace ltri {
namespace {

// From here on unpacking a key once for all queries pays.
constexpr int64_t kBlockQueries = 8;

}  // namespace

void Attend(ThreadPool& pool, const AttendArgs& args, float* out, float* lse) {
  if (args.queries >= kBlockQueries) {
    AttendBlock(pool, args, out, lse);
  } else {
    AttendSingle(pool, args, out, lse);
  }
}

}  // namespace ltri
