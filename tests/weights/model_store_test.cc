#include "weights/model_store.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "support/scoped_environment.h"

namespace ltri {
namespace {

namespace fs = std::filesystem;

class ModelStoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::remove_all(folder_);
    fs::create_directories(folder_ + "/owner");
    for (const char* file : {"b.gguf", "a.gguf", "owner/c:Q8_0.gguf", "half.gguf.part", "note.txt"}) {
      std::ofstream(folder_ + "/" + file) << "x";
    }
  }
  void TearDown() override { fs::remove_all(folder_); }

  const std::string folder_ = ::testing::TempDir() + "ltri_store_" + std::to_string(::getpid());
  const ScopedEnvironment models_{"LTRI_MODELS", folder_};
};

TEST_F(ModelStoreTest, FindsNamesAndPaths) {
  EXPECT_EQ(*ResolveModel("a"), folder_ + "/a.gguf");
  EXPECT_EQ(*ResolveModel("a.gguf"), folder_ + "/a.gguf");
  EXPECT_EQ(*ResolveModel("owner/c:Q8_0"), folder_ + "/owner/c:Q8_0.gguf");
  EXPECT_EQ(*ResolveModel(folder_ + "/note.txt"), folder_ + "/note.txt");
  EXPECT_EQ(InstalledModels(), (std::vector<std::string>{"a", "b", "owner/c:Q8_0"}));
}

TEST_F(ModelStoreTest, FindsFoldersWithAConfig) {
  fs::create_directories(folder_ + "/owner/whole");
  std::ofstream(folder_ + "/owner/whole/config.json") << "{}";
  EXPECT_EQ(*ResolveModel("owner/whole"), folder_ + "/owner/whole");
  EXPECT_EQ(*ResolveModel(folder_ + "/owner/whole/"), folder_ + "/owner/whole");
  EXPECT_EQ(InstalledModels(), (std::vector<std::string>{"a", "b", "owner/c:Q8_0", "owner/whole"}));
}

TEST_F(ModelStoreTest, AMissingModelListsWhatIsThereAndHowToGetOne) {
  for (const char* name : {"zebra", "./zebra.gguf", "half"}) {
    const auto model = ResolveModel(name);
    ASSERT_FALSE(model.ok());
    EXPECT_EQ(model.error().code, ErrorCode::kNotFound);
    for (const char* part : {name, "a, b, owner/c:Q8_0", "ltri pull"}) {
      EXPECT_NE(model.error().message.find(part), std::string::npos) << model.error().message;
    }
  }
  EXPECT_EQ(ResolveModel(folder_).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(ResolveModel("").error().code, ErrorCode::kInvalidArgument);
}

TEST_F(ModelStoreTest, NamesDoNotLeaveTheFolder) {
  for (const char* name : {"", ".", "..", "../x", "a/../../x", "/etc/x", "x/", "a\nb"}) {
    EXPECT_FALSE(StoredModelPath(name).ok()) << name;
  }
}

TEST_F(ModelStoreTest, TheFolderFollowsTheEnvironment) {
  const ScopedEnvironment none("LTRI_MODELS", std::nullopt);
  {
    const ScopedEnvironment data("XDG_DATA_HOME", "/data");
    EXPECT_EQ(*ModelFolder(), "/data/ltri/models");
  }
  const ScopedEnvironment no_data("XDG_DATA_HOME", std::nullopt);
  {
    const ScopedEnvironment home("HOME", "/homes/ada");
    EXPECT_EQ(*ModelFolder(), "/homes/ada/.local/share/ltri/models");
  }
  const ScopedEnvironment no_home("HOME", std::nullopt);
  EXPECT_FALSE(ModelFolder().ok());
  EXPECT_TRUE(InstalledModels().empty());
}

}  // namespace
}  // namespace ltri
