// Session::Impl: the text, how much of it has been read, and the method that remembers it.
#ifndef LTRI_ENGINE_SESSION_IMPL_H_
#define LTRI_ENGINE_SESSION_IMPL_H_

#include <memory>
#include <vector>

#include "attention/method.h"
#include "engine/engine.h"
#include "ltri/session.h"

namespace ltri {

class Session::Impl {
 public:
  Impl(std::shared_ptr<Model> model, const SessionOptions& options, std::unique_ptr<Method> method)
      : model_(std::move(model)), options_(options), method_(std::move(method)) {}

  Status Append(std::span<const TokenId> tokens, const ProgressCallback& progress);
  Status FinishPrompt(const ProgressCallback& progress);
  Status Truncate(int64_t tokens);
  Result<std::unique_ptr<Impl>> Fork() const;
  // For benches: the text repeats itself until it is `tokens` long, without being read. HasLogits before and after.
  Status Stretch(int64_t tokens);

  // After FinishPrompt all but the last token has been read. That one's step, the slice that DecodeSlice describes and
  // Decoded ends, gives the logits of the next.
  bool HasLogits() const { return read_ == size(); }
  Slice DecodeSlice();
  void Decoded() { read_ = size(); }
  const std::vector<float>& logits() const { return logits_; }
  void Add(TokenId token) { tokens_.push_back(token); }

  Engine& engine() const { return model_->engine(); }
  const std::shared_ptr<Model>& model() const { return model_; }
  const SessionOptions& options() const { return options_; }
  const std::vector<TokenId>& tokens() const { return tokens_; }
  const Method& method() const { return *method_; }
  Method& method() { return *method_; }

 private:
  int64_t size() const { return static_cast<int64_t>(tokens_.size()); }
  Slice MakeSlice(int64_t begin, int64_t count, StepKind kind);
  Status Read(int64_t count, StepKind kind);
  Status ReadBlocks(int64_t keep, const ProgressCallback& progress);
  Status ReadEnd(int64_t end, const ProgressCallback& progress);
  Status ReadAgain(int64_t times);

  std::shared_ptr<Model> model_;
  SessionOptions options_;
  std::unique_ptr<Method> method_;
  std::vector<TokenId> tokens_;
  int64_t read_ = 0;          // tokens in the method's memory
  int64_t prompt_begin_ = 0;  // first token of the prompt that is being read
  bool prompt_open_ = false;
  std::vector<float> logits_;  // [vocabulary] of the token after the text, when HasLogits
};

}  // namespace ltri

#endif  // LTRI_ENGINE_SESSION_IMPL_H_
