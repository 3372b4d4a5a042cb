// TokenMeter: how many tokens a text has, and where they end, for prompts of a wanted length.
#ifndef LTRI_EVAL_TASKS_TOKEN_METER_H_
#define LTRI_EVAL_TASKS_TOKEN_METER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "eval/sample.h"
#include "ltri/session.h"

namespace ltri {

class TokenMeter {
 public:
  virtual ~TokenMeter() = default;

  // The byte at which each token ends: ascending, the last one the text's size. Errors: the text has no tokens (not
  // UTF-8), or the tokenizer cannot be reached.
  virtual Result<std::vector<size_t>> Ends(std::string_view text) const = 0;
  virtual Result<int64_t> Count(std::string_view text) const;
  // Whose tokens, for reports.
  virtual std::string name() const = 0;
};

// The tokens of a model.
class ModelMeter : public TokenMeter {
 public:
  explicit ModelMeter(std::shared_ptr<Model> model) : model_(std::move(model)) {}
  Result<std::vector<size_t>> Ends(std::string_view text) const override;
  Result<int64_t> Count(std::string_view text) const override;
  std::string name() const override { return "the model's tokens"; }

 private:
  std::shared_ptr<Model> model_;
};

// An estimate for when no tokenizer is at hand: four bytes a token, never across the end of a word.
class ByteMeter : public TokenMeter {
 public:
  Result<std::vector<size_t>> Ends(std::string_view text) const override;
  std::string name() const override { return "an estimate, at most 4 bytes a token"; }
};

// The end of each token within `text`, which they spell. A tokenizer that puts a space in front is allowed for.
std::vector<size_t> TokenEnds(const Model& model, const std::vector<TokenId>& tokens, std::string_view text);

// The tokens that hold these bytes.
TokenRange TokensWithin(const std::vector<size_t>& ends, ByteRange bytes);

// A text with its tokens, to take parts from.
class TokenizedText {
 public:
  TokenizedText() = default;
  static Result<TokenizedText> Create(const TokenMeter& meter, std::string text);

  int64_t size() const { return static_cast<int64_t>(ends_.size()); }  // tokens
  // Tokens [begin, end), cut between characters.
  std::string_view Part(int64_t begin, int64_t end) const;
  const std::string& text() const { return text_; }

 private:
  size_t ByteOf(int64_t token) const;  // where it begins

  std::string text_;
  std::vector<size_t> ends_;
};

}  // namespace ltri

#endif  // LTRI_EVAL_TASKS_TOKEN_METER_H_
