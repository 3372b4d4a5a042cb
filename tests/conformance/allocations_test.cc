// The token loop asks for no memory once it runs: buffers are kept, and chunks for new keys are the only exception.
#include "support/allocations.h"

#include <gtest/gtest.h>

#include <memory>

#include "conformance/settings.h"
#include "engine/session_impl.h"

namespace ltri {
namespace {

using namespace ltri::testing;  // NOLINT(google-build-using-namespace)

// Calls of operator new while one token after the other is decoded, the fewest of any token.
int64_t FewestAllocations(const SessionOptions& options) {
  const std::shared_ptr<Model> model = TinyModel("llama");
  auto method = MakeMethod(model->engine().method_context(), options);
  if (!method.ok()) return -1;
  Session::Impl session(model, options, std::move(*method));
  if (!session.Append(TinyText(230, 5), {}).ok() || !session.FinishPrompt({}).ok()) return -1;
  int64_t fewest = -1;
  for (TokenId token = 40; token < 70; ++token) {
    if (token > 40) session.Add(token);  // the first one decoded is the prompt's last
    Slice slice = session.DecodeSlice();
    const int64_t before = Allocations();
    if (!session.engine().Step({&slice, 1}).ok()) return -1;
    const int64_t asked = Allocations() - before;
    session.Decoded();
    if (fewest < 0 || asked < fewest) fewest = asked;
  }
  return fewest;
}

TEST(TokenLoopTest, AsksForNoMemory) {
  if (!CountsAllocations()) GTEST_SKIP() << "the sanitizer counts for itself";
  for (const char* method : {"dense", "streaming", "ltri"}) {
    SessionOptions options = SmallOptions(method);
    options.reselect = 8;
    EXPECT_EQ(FewestAllocations(options), 0) << method;
  }
}

}  // namespace
}  // namespace ltri
