#include "text/llama_log.h"

#include <mutex>

#include "llama.h"

namespace ltri {
namespace {

thread_local std::string* collector = nullptr;

void OnLog(ggml_log_level level, const char* text, void*) {
  constexpr size_t kEnough = 500;  // a damaged file may cause an error for every token
  if (level != GGML_LOG_LEVEL_ERROR || collector == nullptr || collector->size() > kEnough) return;
  *collector += text;
}

}  // namespace

void SilenceLlamaLog() {
  static std::once_flag once;
  std::call_once(once, [] { llama_log_set(OnLog, nullptr); });
}

LlamaErrors::LlamaErrors() {
  SilenceLlamaLog();
  collector = &collected_;
}

LlamaErrors::~LlamaErrors() { collector = nullptr; }

std::string LlamaErrors::Text(const std::string& otherwise) const {
  std::string line;
  for (const char c : collected_) line += c == '\n' ? ' ' : c;
  while (!line.empty() && line.back() == ' ') line.pop_back();
  return line.empty() ? otherwise : line;
}

}  // namespace ltri
