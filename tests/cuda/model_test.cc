// Whole models on the card against the host.
#include <gtest/gtest.h>
#include <hwy/highway.h>
#include <hwy/targets.h>

#include <optional>

#include "cuda/card.h"
#include "engine/session_impl.h"
#include "ggml.h"
#include "ltri/session.h"
#include "support/temporary_folder.h"
#include "support/test_model.h"
#include "support/tiny_folder.h"
#include "support/tiny_gguf.h"
#include "support/tiny_session.h"

namespace ltri::cuda {
namespace {

using ltri::testing::Cosine;
using ltri::testing::TinyModelSpec;

// While it lives, the host works with its plainest instructions. With better ones it rounds what prompts multiply by
// packed weights to 8 bits, which the card does not: that alone takes the two further apart than they may be.
class PlainInstructions {
 public:
  PlainInstructions() { Choose(hwy::SupportedAndGeneratedTargets().back()); }
  ~PlainInstructions() { Choose(0); }
  PlainInstructions(const PlainInstructions&) = delete;
  PlainInstructions& operator=(const PlainInstructions&) = delete;

 private:
  static void Choose(int64_t target) {
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  }
};

std::vector<float> Logits(const std::string& path, const char* device, const SessionOptions& options,
                          const std::vector<TokenId>& text, int64_t decoded) {
  std::optional<PlainInstructions> plain;
  if (std::string(device) == "cpu") plain.emplace();
  ModelOptions model_options;
  model_options.device = device;
  const auto model = Model::Load(path, model_options);
  EXPECT_TRUE(model.ok()) << model.error().message;
  if (!model.ok()) return {};
  Session session = ltri::testing::MakeSession(*model, options);
  const int64_t prompt = static_cast<int64_t>(text.size()) - decoded;
  EXPECT_TRUE(session.Append(std::span(text.data(), static_cast<size_t>(prompt))).ok());
  std::vector<float> all;
  for (int64_t i = prompt; i <= static_cast<int64_t>(text.size()); ++i) {
    const Result<std::vector<float>> logits = session.NextLogits();
    EXPECT_TRUE(logits.ok()) << logits.error().message;
    if (!logits.ok()) return {};
    all.insert(all.end(), logits->begin(), logits->end());
    if (i < static_cast<int64_t>(text.size())) {
      EXPECT_TRUE(session.Append(std::span(text.data() + i, 1)).ok());
    }
  }
  return all;
}

TinyModelSpec Spec(const char* name, const char* architecture, int64_t head_dim, int type) {
  TinyModelSpec spec;
  spec.name = name;
  spec.architecture = architecture;
  spec.width = 256;
  spec.heads = 4;
  spec.kv_heads = 2;
  spec.head_dim = head_dim;
  spec.feed_forward = 512;
  spec.type = type;
  return spec;
}

class ModelTest : public CardTestOf<::testing::TestWithParam<TinyModelSpec>> {};

TEST_P(ModelTest, LogitsAreTheHosts) {
  const TemporaryFolder folder;
  const std::string path = ltri::testing::WriteTinyGguf(GetParam(), folder.path());
  const std::vector<TokenId> text = ltri::testing::TinyText(700, 5);
  for (const char* method : {"dense", "streaming"}) {
    SessionOptions options = ltri::testing::SmallOptions(method);
    const std::vector<float> host = Logits(path, "cpu", options, text, 6);
    const std::vector<float> card = Logits(path, "cuda", options, text, 6);
    ASSERT_EQ(card.size(), host.size());
    EXPECT_GT(Cosine(card, host), 0.999) << method;
  }
}

TinyModelSpec Gemma3(const char* name, int64_t head_dim, int64_t window, int type) {
  TinyModelSpec spec = Spec(name, "gemma3", head_dim, type);
  spec.layers = 7;
  spec.kv_heads = 1;
  spec.sliding_window = window;
  spec.tied = true;
  return spec;
}

TinyModelSpec InPart(TinyModelSpec spec, int64_t rope_dims) {
  spec.rope_dims = rope_dims;
  return spec;
}

INSTANTIATE_TEST_SUITE_P(
    Tiny, ModelTest,
    ::testing::Values(
        Gemma3("gemma3_f16", 256, 200, GGML_TYPE_F16), Gemma3("gemma3_q4_k", 256, 64, GGML_TYPE_Q4_K),
        Gemma3("gemma3_q8_0", 128, 100, GGML_TYPE_Q8_0), InPart(Spec("glm4_q4_0", "glm4", 128, GGML_TYPE_Q4_0), 64),
        InPart(Spec("phi3_q4_0", "phi3", 96, GGML_TYPE_Q4_0), 72), Spec("phi3_q8_0", "phi3", 96, GGML_TYPE_Q8_0),
        Spec("llama_q4_0_48", "llama", 48, GGML_TYPE_Q4_0), Spec("llama_f16", "llama", 64, GGML_TYPE_F16),
        Spec("llama_bf16", "llama", 128, GGML_TYPE_BF16), Spec("llama_q8_0", "llama", 64, GGML_TYPE_Q8_0),
        Spec("llama_q4_0", "llama", 64, GGML_TYPE_Q4_0), Spec("llama_q4_k", "llama", 64, GGML_TYPE_Q4_K),
        Spec("llama_q6_k", "llama", 128, GGML_TYPE_Q6_K),
        [] {
          TinyModelSpec spec = Spec("qwen2_bias", "qwen2", 64, GGML_TYPE_F16);
          spec.qkv_bias = true;
          return spec;
        }(),
        Spec("qwen3_norms", "qwen3", 128, GGML_TYPE_F16)),
    [](const auto& instance) { return instance.param.name; });

// All architectures and variants, with full weights and heads narrower than the card's.
class ArchitectureTest : public CardTestOf<::testing::TestWithParam<TinyModelSpec>> {};

TEST_P(ArchitectureTest, LogitsAreTheHosts) {
  const TemporaryFolder folder;
  const std::string path = ltri::testing::WriteTinyGguf(GetParam(), folder.path());
  const std::vector<TokenId> text = ltri::testing::TinyText(700, 5);
  for (const char* method : {"dense", "streaming", "ltri"}) {
    SessionOptions options = ltri::testing::SmallOptions(method);
    if (options.method == "ltri") {
      options.window = 256;
      options.max_span = 128;
      options.budget = 1024;  // room for all: what is chosen else may differ by rounding
    }
    const std::vector<float> host = Logits(path, "cpu", options, text, 6);
    const std::vector<float> card = Logits(path, "cuda", options, text, 6);
    ASSERT_EQ(card.size(), host.size());
    EXPECT_GT(Cosine(card, host), 0.999) << method;
  }
}

INSTANTIATE_TEST_SUITE_P(All, ArchitectureTest, ::testing::ValuesIn(ltri::testing::AllTinySpecs()),
                         [](const auto& instance) { return instance.param.name; });

// A prompt that is read densely, its end again with what the answer sees, as the host does it.
TEST_F(CardTest, PromptsEndIsReadAgainAfterDenseReading) {
  const TemporaryFolder folder;
  for (const TinyModelSpec& spec :
       {Spec("dense_llama", "llama", 64, GGML_TYPE_F16), Gemma3("dense_gemma3", 256, 64, GGML_TYPE_F16)}) {
    const std::string path = ltri::testing::WriteTinyGguf(spec, folder.path());
    const std::vector<TokenId> text = ltri::testing::TinyText(900, 5);
    SessionOptions options = ltri::testing::SmallOptions("ltri");
    options.window = 256;
    options.max_span = 128;
    options.budget = 1024;
    options.prefill = Prefill::kDense;
    options.second_reading = 64;
    options.rereadings = 2;
    const std::vector<float> host = Logits(path, "cpu", options, text, 6);
    const std::vector<float> card = Logits(path, "cuda", options, text, 6);
    ASSERT_EQ(card.size(), host.size());
    EXPECT_GT(Cosine(card, host), 0.999) << spec.name;
  }
}

// Its rows are in halves, those of the GGUF file in adjacent pairs.
TEST_F(CardTest, FoldersAreModelsToo) {
  const TemporaryFolder folder;
  const TinyModelSpec spec = Spec("llama_folder", "llama", 64, GGML_TYPE_F16);
  const std::string gguf = ltri::testing::WriteTinyGguf(spec, folder.path());
  const std::string path =
      ltri::testing::WriteTinyFolder(ltri::testing::MakeTinyFolder(spec, gguf), folder.path(), "model", gguf);
  const std::vector<TokenId> text = ltri::testing::TinyText(300, 5);
  const SessionOptions options = ltri::testing::SmallOptions("dense");
  const std::vector<float> host = Logits(gguf, "cpu", options, text, 3);
  const std::vector<float> card = Logits(path, "cuda", options, text, 3);
  ASSERT_EQ(card.size(), host.size());
  EXPECT_GT(Cosine(card, host), 0.999);
}

TEST_F(CardTest, RealModelsLogitsAreTheHosts) {
  const std::string path = TestModel("smollm2");
  if (path.empty()) GTEST_SKIP() << kNoTestModel;
  std::vector<TokenId> text;
  for (TokenId i = 0; i < 900; ++i) text.push_back(1000 + i * 37 % 9000);
  SessionOptions options;
  options.method = "dense";
  const std::vector<float> host = Logits(path, "cpu", options, text, 4);
  const std::vector<float> card = Logits(path, "cuda", options, text, 4);
  ASSERT_EQ(card.size(), host.size());
  EXPECT_GT(Cosine(card, host), 0.999);
}

// Decoded tokens of several sessions in one step are those of each alone.
class TogetherTest : public CardTestOf<::testing::TestWithParam<TinyModelSpec>> {};

TEST_P(TogetherTest, SessionsDecodeAsAlone) {
  const TemporaryFolder folder;
  const std::string path = ltri::testing::WriteTinyGguf(GetParam(), folder.path());
  ModelOptions model_options;
  model_options.device = "cuda";
  const auto model = Model::Load(path, model_options);
  ASSERT_TRUE(model.ok()) << model.error().message;
  std::vector<std::unique_ptr<Session::Impl>> alone;
  std::vector<std::unique_ptr<Session::Impl>> together;
  for (const char* method : {"dense", "streaming", "ltri", "ltri"}) {
    SessionOptions options = ltri::testing::SmallOptions(method);
    options.window = 256;
    options.max_span = 128;
    auto session = Session::Impl::Open(*model, options, nullptr);
    ASSERT_TRUE(session.ok()) << session.error().message;
    const auto text = ltri::testing::TinyText(500 + 40 * static_cast<int64_t>(alone.size()), 7);
    ASSERT_TRUE((*session)->Append(text, {}).ok());
    ASSERT_TRUE((*session)->FinishPrompt({}).ok());
    alone.push_back(std::move(*session));
    auto fork = alone.back()->Fork();
    ASSERT_TRUE(fork.ok());
    together.push_back(std::move(*fork));
  }
  std::vector<Slice> slices;
  for (const auto& session : together) slices.push_back(session->DecodeSlice());
  ASSERT_TRUE((*model)->engine().Step(slices).ok());
  for (size_t i = 0; i < alone.size(); ++i) {
    Slice slice = alone[i]->DecodeSlice();
    ASSERT_TRUE((*model)->engine().Step({&slice, 1}).ok());
    EXPECT_GT(Cosine(together[i]->logits(), alone[i]->logits()), 0.9999) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Tiny, TogetherTest,
                         ::testing::Values(Spec("llama", "llama", 64, GGML_TYPE_F16),
                                           Gemma3("gemma3", 256, 100, GGML_TYPE_F16),
                                           InPart(Spec("phi3", "phi3", 96, GGML_TYPE_F16), 72)),
                         [](const auto& instance) { return instance.param.name; });

TEST(CudaDevice, UnknownDevicesAreNamed) {
  ModelOptions options;
  options.device = "tpu";
  const auto model = Model::Load("nowhere.gguf", options);
  ASSERT_FALSE(model.ok());
  EXPECT_NE(model.error().message.find("tpu"), std::string::npos);
}

}  // namespace
}  // namespace ltri::cuda
