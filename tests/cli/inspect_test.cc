// `ltri inspect` from outside: what it prints and how it fails.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "support/run_program.h"
#include "support/tiny_gguf.h"

namespace ltri {
namespace {

using testing::AllTinySpecs;
using testing::ProgramResult;
using testing::RunProgram;
using testing::TinyModelSpec;
using testing::TinySpec;
using testing::WriteTinyGguf;

TEST(InspectTest, PrintsConfigurationTokenizerCostAndTensors) {
  TinyModelSpec spec = TinySpec("gemma3");
  spec.name = "inspect_gemma3";
  const ProgramResult result = RunProgram({"inspect", WriteTinyGguf(spec, ::testing::TempDir())});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.errors, "");
  for (const char* part :
       {"architecture      gemma3", "4 query heads, 1 KV heads, 32 values each", "trained context   2048 tokens",
        "sliding window    64 tokens", "tokenizer         llama (default), 300 tokens", "bos             1  \"<s>\"",
        "chat template     no", "128 bytes a token for keys and values in 16 bits (1 layers)",
        "49152 bytes whatever the length for 6 sliding-window layers", "f32            93 tensors"}) {
    EXPECT_NE(result.output.find(part), std::string::npos) << part << "\n" << result.output;
  }
  EXPECT_EQ(result.output.find("blk.0.attn_q.weight"), std::string::npos);
}

TEST(InspectTest, ListsTensorsWhenAsked) {
  TinyModelSpec spec = TinySpec("phi3");
  spec.name = "inspect_phi3";
  const ProgramResult result = RunProgram({"inspect", "--tensors", WriteTinyGguf(spec, ::testing::TempDir())});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_NE(result.output.find("blk.2.attn_qkv.weight                    f32       [64, 128]"), std::string::npos)
      << result.output;
}

TEST(InspectTest, JsonAgreesForEveryArchitecture) {
  for (TinyModelSpec spec : AllTinySpecs()) {
    spec.name = "inspect_json";
    const ProgramResult result = RunProgram({"inspect", "--json", WriteTinyGguf(spec, ::testing::TempDir())});
    ASSERT_EQ(result.exit_code, 0) << result.errors;
    const auto json = nlohmann::json::parse(result.output);
    EXPECT_EQ(json["architecture"], spec.architecture);
    EXPECT_EQ(json["layers"], spec.layers);
    EXPECT_EQ(json["tokenizer"]["tokens"], spec.vocabulary);
    EXPECT_EQ(json["rope"]["dimensions"], spec.rope_dims > 0 ? spec.rope_dims : spec.head_dim);
  }
}

TEST(InspectTest, FailuresEndInAMessageAndACode) {
  ProgramResult result = RunProgram({"inspect", "/nowhere/model.gguf"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.output, "");
  EXPECT_EQ(result.errors.rfind("ltri: ", 0), 0U) << result.errors;
  EXPECT_NE(result.errors.find("/nowhere/model.gguf"), std::string::npos) << result.errors;

  result = RunProgram({"inspect", ::testing::TempDir()});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_NE(result.errors.find("is a folder"), std::string::npos);

  EXPECT_EQ(RunProgram({"inspect"}).exit_code, 2);
  EXPECT_EQ(RunProgram({"inspect", "--wrong", "x"}).exit_code, 2);
  EXPECT_EQ(RunProgram({}).exit_code, 2);
  EXPECT_EQ(RunProgram({"--help"}).exit_code, 0);
}

}  // namespace
}  // namespace ltri
