// llama.cpp in this process: what our logits and tokens are compared with.
#ifndef LTRI_TESTS_SUPPORT_LLAMA_REFERENCE_H_
#define LTRI_TESTS_SUPPORT_LLAMA_REFERENCE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace ltri::testing {

// One model and one sequence. Keys and values are F32 and flash attention is off, so that nothing but the order of
// sums tells llama.cpp from an exact evaluation.
class LlamaReference {
 public:
  // `context`: tokens; longrope models choose their factors by it. Throws std::runtime_error when it cannot load.
  explicit LlamaReference(const std::string& path, int context = 1024, int threads = 1);
  ~LlamaReference();
  LlamaReference(const LlamaReference&) = delete;
  LlamaReference& operator=(const LlamaReference&) = delete;

  int vocabulary() const;
  std::vector<int32_t> Tokenize(const std::string& text, bool add_special) const;
  std::string Piece(int32_t token) const;

  // Forgets the sequence.
  void Reset();
  // Appends the tokens in one batch; the logits after each of them, [tokens][vocabulary].
  std::vector<std::vector<float>> Append(const std::vector<int32_t>& tokens);
  // Appends all tokens, only the last one's logits: for long prompts.
  std::vector<float> AppendForLast(const std::vector<int32_t>& tokens);

  // From an empty sequence: the first `prompt` tokens in one batch, the others one at a time;
  // the logits after each token, [tokens][vocabulary].
  std::vector<std::vector<float>> Logits(const std::vector<int32_t>& tokens, int64_t prompt);

  // From an empty sequence: the `count` tokens that follow, always the likeliest. `logits`, when given, receives the
  // logits each was chosen from, [count][vocabulary].
  std::vector<int32_t> Greedy(const std::vector<int32_t>& prompt, int count,
                              std::vector<std::vector<float>>* logits = nullptr);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ltri::testing

#endif  // LTRI_TESTS_SUPPORT_LLAMA_REFERENCE_H_
