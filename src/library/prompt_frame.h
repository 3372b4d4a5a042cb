// PromptFrame: what stands before a document and behind a question in the text that the model reads.
#ifndef LTRI_LIBRARY_PROMPT_FRAME_H_
#define LTRI_LIBRARY_PROMPT_FRAME_H_

#include <string>
#include <string_view>
#include <vector>

#include "ltri/model.h"

namespace ltri {

class PromptFrame {
 public:
  // plain: without the model's chat template; the question is mere text after the document. So it is too for a model
  // that has no template. Error kUnsupported when the template cannot hold a document.
  static Result<PromptFrame> Create(const Model& model, bool plain);

  bool plain() const { return before_.empty() && after_.empty(); }

  // What comes before a document, the beginning of text included. Empty when plain: the document begins the text.
  Result<std::vector<TokenId>> Opening(const Model& model) const;
  // What follows the document: the question and the model's turn to speak.
  Result<std::vector<TokenId>> Question(const Model& model, std::string_view question) const;

 private:
  std::string before_;
  std::string after_;
};

}  // namespace ltri

#endif  // LTRI_LIBRARY_PROMPT_FRAME_H_
