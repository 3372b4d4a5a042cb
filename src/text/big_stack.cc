#include "text/big_stack.h"

#include <pthread.h>

#include <cstddef>

namespace ltri {
namespace {

// 64 KiB of text at the 2 KB a character that the deepest patterns need, twice. Only what is used becomes memory.
constexpr size_t kStackBytes = size_t{256} << 20;

void* Call(void* function) {
  (*static_cast<const std::function<void()>*>(function))();
  return nullptr;
}

}  // namespace

Status RunOnBigStack(const std::function<void()>& function) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, kStackBytes);
  pthread_t thread;
  void* argument = const_cast<std::function<void()>*>(&function);
  const int failed = pthread_create(&thread, &attributes, Call, argument);
  pthread_attr_destroy(&attributes);
  if (failed != 0) {
    return Error{ErrorCode::kOutOfMemory, "no thread with a stack of 256 MiB to tokenise a very long word"};
  }
  pthread_join(thread, nullptr);
  return {};
}

}  // namespace ltri
