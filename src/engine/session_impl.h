// Session::Impl: the text, how much of it has been read, and the method that remembers it.
#ifndef LTRI_ENGINE_SESSION_IMPL_H_
#define LTRI_ENGINE_SESSION_IMPL_H_

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "attention/method.h"
#include "engine/engine.h"
#include "ltri/session.h"
#include "memory/tier.h"

namespace ltri {

class Session::Impl {
 public:
  // tier: of the method; null: RAM without a limit.
  Impl(std::shared_ptr<Model> model, const SessionOptions& options, std::unique_ptr<Method> method,
       std::shared_ptr<Tier> tier = nullptr)
      : model_(std::move(model)), options_(options), method_(std::move(method)), tier_(std::move(tier)) {}

  // Where the blocks of a session with these settings are. Error kIo: no temporary file can be made.
  static Result<std::shared_ptr<Tier>> MakeTier(const SessionOptions& options);
  // What is behind a session, which ends.
  static std::unique_ptr<Impl> TakeFrom(Session session) { return std::move(session.impl_); }
  // The options as a session of the model has them.
  static SessionOptions Complete(const Model& model, const SessionOptions& options);
  // An empty session whose blocks are in `tier`.
  static Result<std::unique_ptr<Impl>> Open(std::shared_ptr<Model> model, const SessionOptions& options,
                                            std::shared_ptr<Tier> tier);

  // What is big goes to `file` as blocks, those aside that are there; the rest comes back. Both together are the
  // session. finished: what Join needs is there too.
  Result<std::vector<std::byte>> Save(const std::shared_ptr<BlockFile>& file, bool finished = false);

  // What Save made. Its blocks are read when they are needed.
  struct Saved {
    std::span<const std::byte> state;
    std::shared_ptr<BlockFile> file;
  };
  // The session as it was. Errors: kCorrupt, kInvalidArgument (another model's).
  static Result<std::unique_ptr<Impl>> Restore(std::shared_ptr<Model> model, const Saved& saved,
                                               std::shared_ptr<Tier> tier);
  // One session that remembers the texts of several, saved as finished under the same settings; what is appended, a
  // question, follows them. Errors: as Restore's, kUnsupported (a method without recall).
  static Result<std::unique_ptr<Impl>> Join(const std::shared_ptr<Model>& model, std::span<const Saved> texts,
                                            std::shared_ptr<Tier> tier);
  // Where joined texts are among tokens(); empty: none were joined.
  const std::vector<TokenRange>& texts() const { return texts_; }

  Status Append(std::span<const TokenId> tokens, const ProgressCallback& progress);
  // Append without reading: NextSlice does that.
  Status Push(std::span<const TokenId> tokens);
  Status FinishPrompt(const ProgressCallback& progress);
  Status Truncate(int64_t tokens);
  Result<std::unique_ptr<Impl>> Fork() const;
  // For benches: the text repeats itself until it is `tokens` long, without being read. HasLogits before and after.
  Status Stretch(int64_t tokens);

  // FinishPrompt one step at a time, for steps that several sessions share: the slice of the next step, nothing when
  // the prompt has been read; and SliceRead after that step.
  std::optional<Slice> NextSlice();
  void SliceRead();

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
  int64_t read() const { return read_; }  // tokens that the method remembers
  // As Method::Recalled, between steps.
  std::vector<RecallShare> Recalled() const;
  const Method& method() const { return *method_; }
  Method& method() { return *method_; }

 private:
  int64_t size() const { return static_cast<int64_t>(tokens_.size()); }
  Slice MakeSlice(int64_t begin, int64_t count, StepKind kind);
  Status Read(int64_t count, StepKind kind);
  Status ReadBlocks(int64_t keep, const ProgressCallback& progress);
  StepRange NextRange() const;
  Status ReadRest();
  Status PutState(const std::shared_ptr<BlockFile>& file, StateWriter* to);
  Status SetState(std::span<const uint8_t> bytes, const std::shared_ptr<BlockFile>& file);

  std::shared_ptr<Model> model_;
  SessionOptions options_;
  std::unique_ptr<Method> method_;
  std::shared_ptr<Tier> tier_;
  std::vector<TokenRange> texts_;
  std::vector<TokenId> tokens_;
  int64_t read_ = 0;          // tokens in the method's memory
  int64_t prompt_begin_ = 0;  // first token of the prompt that is being read
  bool prompt_open_ = false;
  StepRange next_;             // of the slice that NextSlice gave last
  int64_t again_ = 0;          // steps that are left for the prompt's end: it is read again, then looked ahead from
  bool sees_all_ = false;      // the answer to this prompt will
  std::vector<float> logits_;  // [vocabulary] of the token after the text, when HasLogits
};

}  // namespace ltri

#endif  // LTRI_ENGINE_SESSION_IMPL_H_
