#include "support/tiny_session.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <map>
#include <random>
#include <utility>

#include "support/temporary_folder.h"
#include "support/tiny_gguf.h"

namespace ltri::testing {
namespace {

template <typename T>
T Must(Result<T> result) {
  if (result.ok()) return *std::move(result);
  std::fprintf(stderr, "unexpected error: %s\n", result.error().message.c_str());
  std::abort();
}

void Must(const Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "unexpected error: %s\n", status.error().message.c_str());
  std::abort();
}

}  // namespace

std::shared_ptr<Model> TinyModel(const std::string& name, int threads) {
  static TemporaryFolder folder;  // of this process: tests may run side by side
  static std::map<std::pair<std::string, int>, std::shared_ptr<Model>> models;
  std::shared_ptr<Model>& model = models[{name, threads}];
  if (model == nullptr) model = Must(Model::Load(WriteTinyGguf(TinySpec(name), folder.path()), {threads}));
  return model;
}

SessionOptions SmallOptions(const std::string& method) {
  SessionOptions options;
  options.method = method;
  options.sinks = 4;
  options.window = 64;
  options.budget = 48;
  options.block = 32;
  options.min_span = 4;
  options.max_span = 32;
  options.prefill = Prefill::kStream;
  options.second_reading = 16;
  return options;
}

Session MakeSession(const std::shared_ptr<Model>& model, const SessionOptions& options) {
  return Must(Session::Create(model, options));
}

std::vector<TokenId> TinyText(int64_t count, uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<TokenId> text;
  while (static_cast<int64_t>(text.size()) < count) {
    // A phrase of a few tokens, said one to four times.
    std::vector<TokenId> phrase(2 + random() % 9);
    for (TokenId& token : phrase) token = static_cast<TokenId>(20 + random() % 200);
    for (uint32_t times = 1 + random() % 4; times > 0; --times) text.insert(text.end(), phrase.begin(), phrase.end());
  }
  text.resize(static_cast<size_t>(count));
  return text;
}

std::vector<float> LogitsAfter(Session& session, const std::vector<TokenId>& tokens) {
  Must(session.Append(tokens));
  return Must(session.NextLogits());
}

std::vector<TokenId> GreedyTokens(Session& session, int64_t count) {
  GenerateOptions options;
  options.max_tokens = count;
  options.ignore_end = true;
  return Must(session.Generate(options)).tokens;
}

std::vector<TokenId> Part(const std::vector<TokenId>& tokens, int64_t begin, int64_t end) {
  return {tokens.begin() + begin, tokens.begin() + end};
}

float MaxDifference(const std::vector<float>& a, const std::vector<float>& b) {
  float most = a.size() == b.size() ? 0.0F : std::numeric_limits<float>::infinity();
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    const float difference = std::fabs(a[i] - b[i]);
    if (!(difference <= most)) most = difference;  // also when it is no number
  }
  return most;
}

double Cosine(const std::vector<float>& a, const std::vector<float>& b) {
  double ab = 0;
  double aa = 0;
  double bb = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    ab += static_cast<double>(a[i]) * static_cast<double>(b[i]);
    aa += static_cast<double>(a[i]) * static_cast<double>(a[i]);
    bb += static_cast<double>(b[i]) * static_cast<double>(b[i]);
  }
  return ab / std::sqrt(aa * bb);
}

}  // namespace ltri::testing
