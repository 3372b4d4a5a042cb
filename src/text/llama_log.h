// What llama.cpp would print: silenced, except that errors can be collected for a message of ours.
#ifndef LTRI_TEXT_LLAMA_LOG_H_
#define LTRI_TEXT_LLAMA_LOG_H_

#include <string>

namespace ltri {

// Silences llama.cpp's logs in the whole process, once. Safe to call from any thread, any number of times.
void SilenceLlamaLog();

// While alive, collects the errors that llama.cpp logs on this thread. Does not nest.
class LlamaErrors {
 public:
  LlamaErrors();
  ~LlamaErrors();
  LlamaErrors(const LlamaErrors&) = delete;
  LlamaErrors& operator=(const LlamaErrors&) = delete;

  // All errors so far on one line, or `otherwise` when there are none.
  std::string Text(const std::string& otherwise) const;

 private:
  std::string collected_;
};

}  // namespace ltri

#endif  // LTRI_TEXT_LLAMA_LOG_H_
