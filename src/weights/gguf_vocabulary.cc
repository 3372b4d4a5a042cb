#include "weights/gguf_vocabulary.h"

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace ltri {

Status CheckVocabulary(const GgufFile& file) {
  constexpr std::string_view kTokens = "tokenizer.ggml.tokens";
  const Result<std::vector<std::string_view>> tokens = file.Strings(kTokens);
  if (!tokens.ok()) return {};  // the tokenizer says what is missing
  std::unordered_map<std::string_view, size_t> ids;
  ids.reserve(tokens->size());
  std::vector<std::string> named;  // llama.cpp's names of empty entries
  for (size_t i = 0; i < tokens->size(); ++i) {
    if ((*tokens)[i].empty()) named.push_back(fmt::format("[EMPTY_{}]", i));
  }
  size_t empty = 0;
  for (size_t i = 0; i < tokens->size(); ++i) {
    const std::string_view text = (*tokens)[i].empty() ? std::string_view(named[empty++]) : (*tokens)[i];
    const auto [other, is_new] = ids.emplace(text, i);
    if (is_new) continue;
    return Error{ErrorCode::kCorrupt,
                 fmt::format("{}: {}: entries {} and {} have the same text; the file is damaged, or "
                             "was converted wrongly",
                             file.path(), kTokens, other->second, i)};
  }
  return {};
}

}  // namespace ltri
