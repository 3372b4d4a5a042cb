// Runs a function on a thread with a stack far larger than usual: regular expressions of the standard library recurse
// once for each character that they match.
#ifndef LTRI_TEXT_BIG_STACK_H_
#define LTRI_TEXT_BIG_STACK_H_

#include <functional>

#include "ltri/result.h"

namespace ltri {

// Returns when the function has. It must not throw. Error: kOutOfMemory when the system gives no such thread.
Status RunOnBigStack(const std::function<void()>& function);

}  // namespace ltri

#endif  // LTRI_TEXT_BIG_STACK_H_
