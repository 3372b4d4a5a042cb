// Session: one text that a model has read, and what it remembers of it.
#ifndef LTRI_SESSION_H_
#define LTRI_SESSION_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ltri/export.h"
#include "ltri/model.h"
#include "ltri/options.h"
#include "ltri/result.h"

namespace ltri {

// Tokens [begin, end) of a session's text.
struct TokenRange {
  int64_t begin = 0;
  int64_t end = 0;
  int64_t count() const { return end - begin; }
  bool operator==(const TokenRange&) const = default;
};

// A stretch of text that was cut by one layer. Scores are comparable within a layer.
struct SpanInfo {
  int64_t begin = 0;
  int64_t end = 0;
  float score = 0;
  float confidence = 0;
};

// Bytes held by one session; chunks shared with forks count for each.
struct MemoryUse {
  int64_t keys_and_values = 0;
  int64_t index = 0;    // index vectors, spans and votes
  int64_t on_disk = 0;  // keys and values that are not in RAM; not part of the total
  int64_t total() const { return keys_and_values + index; }
};

// Attention near the diagonal, summed over the heads of one layer, as the spans were cut from it.
struct BandRecord {
  int64_t begin = 0;  // token of the first row
  int64_t width = 0;  // lags
  std::vector<float>
      rows;  // [tokens, width]: rows[i * width + lag - 1] = what token begin + i gave to the one `lag` before
};

struct GenerateOptions {
  int64_t max_tokens = 256;
  SamplingOptions sampling;
  bool ignore_end = false;  // go on when the model ends its answer
};

struct Generation {
  std::string text;
  std::vector<TokenId> tokens;  // without the token that ended the answer
  bool ended = false;           // by the model; false: max_tokens, or the callback
};

// Gets each piece of text as it comes: whole UTF-8 characters, possibly none. Return false to stop.
using TextCallback = std::function<bool(std::string_view piece)>;

// Thread safety: one caller at a time for a session; different sessions are independent.
class LTRI_API Session {
 public:
  // Error kInvalidArgument names the option that cannot be used; kOutOfMemory when the working set cannot fit.
  static Result<Session> Create(std::shared_ptr<Model> model, const SessionOptions& options = {});

  ~Session();
  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;

  // Adds text, or tokens, and reads it in blocks. The newest tokens wait, so that a text may come in pieces of any
  // size: the result is the same. Progress counts the tokens of this call. A callback that returns false stops the
  // reading with kCancelled; the text stays appended and the next call goes on.
  // The first text of a session begins with the model's beginning-of-text token.
  // Errors: kInvalidArgument (not UTF-8, unknown token), kOutOfMemory, kCancelled.
  Status Append(std::string_view text, const ProgressCallback& progress = {});
  Status Append(std::span<const TokenId> tokens, const ProgressCallback& progress = {});

  // Reads all that waits, as the end of a prompt. Generate does it; call it to time or watch it apart.
  Status FinishPrompt(const ProgressCallback& progress = {});

  // Continues the text. What is generated becomes part of it. Error kInvalidArgument when nothing was appended.
  Result<Generation> Generate(const GenerateOptions& options = {}, const TextCallback& callback = {});

  // Logits of the token after the text. [vocabulary]
  Result<std::vector<float>> NextLogits();

  // Takes the text back to its first `tokens` tokens. What the method has dropped is read again at the next use.
  // ltri and infllm keep the spans that were cut and, ltri, what was wanted before: what they recall from then on may
  // differ from what a session recalls that never went further.
  Status Truncate(int64_t tokens);

  // An independent copy; keys and values are shared until one of the two writes.
  Result<Session> Fork() const;

  const std::vector<TokenId>& tokens() const;  // the whole text
  const SessionOptions& options() const;

  // What the last token read could see in `layer` through query head `head`: ascending, disjoint.
  std::vector<TokenRange> Visible(int64_t layer, int64_t head) const;
  // The spans of `layer`; empty for methods without spans.
  std::vector<SpanInfo> Spans(int64_t layer) const;
  MemoryUse memory() const;

  // Keeps the band of `tokens` in `layer` while they are read, for pictures. Call it before they are appended; false
  // when the method looks at no band.
  bool RecordBand(int64_t layer, TokenRange tokens);
  const BandRecord& band() const;

  // Generates for several sessions of one model, a token each a step, in one batch. The results are those that
  // Generate would give to each alone. callbacks: none, or one a session.
  static Result<std::vector<Generation>> GenerateTogether(std::span<Session* const> sessions,
                                                          const GenerateOptions& options,
                                                          std::span<const TextCallback> callbacks = {});

  class Impl;
  explicit Session(std::unique_ptr<Impl> impl);  // internal

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace ltri

#endif  // LTRI_SESSION_H_
