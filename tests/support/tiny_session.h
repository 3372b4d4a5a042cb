// Sessions on tiny random models, and texts for them.
#ifndef LTRI_TESTS_SUPPORT_TINY_SESSION_H_
#define LTRI_TESTS_SUPPORT_TINY_SESSION_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "ltri/session.h"

namespace ltri::testing {

// The tiny model of that name (support/tiny_gguf.h), loaded once for each number of threads.
std::shared_ptr<Model> TinyModel(const std::string& name, int threads = 2);

// Settings so small that 200 tokens leave the window and do not fit the budget. Prompts are streamed.
SessionOptions SmallOptions(const std::string& method);

// A session that must be made; aborts with the error when it cannot.
Session MakeSession(const std::shared_ptr<Model>& model, const SessionOptions& options);

// Random tokens with clumps of repeated phrases; the same for the same seed. No control tokens.
std::vector<TokenId> TinyText(int64_t count, uint32_t seed);

// Appends and reads to the end; returns the logits that follow. Aborts on errors.
std::vector<float> LogitsAfter(Session& session, const std::vector<TokenId>& tokens);

// Greedy tokens, whatever ends an answer. Aborts on errors.
std::vector<TokenId> GreedyTokens(Session& session, int64_t count);

// Part [begin, end) of a text.
std::vector<TokenId> Part(const std::vector<TokenId>& tokens, int64_t begin, int64_t end);

// The largest difference between two sets of logits.
float MaxDifference(const std::vector<float>& a, const std::vector<float>& b);

// The cosine of the angle between two sets of logits.
double Cosine(const std::vector<float>& a, const std::vector<float>& b);

}  // namespace ltri::testing

#endif  // LTRI_TESTS_SUPPORT_TINY_SESSION_H_
