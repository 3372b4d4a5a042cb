// The tokens of a model folder that begin and end texts, and its chat template.
#ifndef LTRI_WEIGHTS_HF_SPECIAL_TOKENS_H_
#define LTRI_WEIGHTS_HF_SPECIAL_TOKENS_H_

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "ltri/result.h"
#include "weights/gguf_writer.h"

namespace ltri {

struct SpecialTokens {
  std::optional<uint32_t> bos;
  std::vector<uint32_t> ends;  // the first ends a text, others an answer as well
  std::optional<uint32_t> unknown;
  std::optional<uint32_t> padding;
  std::optional<bool> adds_bos, adds_eos;  // none: nothing says so
  std::string chat_template;               // empty: none
};

// By tokenizer_config.json, then generation_config.json, then config.json (`config`). `tokenizer` is tokenizer.json;
// find: the token of this text. Ids outside the `rows` of the embedding do not count.
Result<SpecialTokens> ReadSpecialTokens(const std::string& folder, const nlohmann::json& tokenizer,
                                        const nlohmann::json& config, int64_t rows,
                                        const std::function<std::optional<uint32_t>(const std::string&)>& find);

// adds_bos: whether texts begin with that token when nothing says so.
void WriteSpecialTokens(const SpecialTokens& special, bool adds_bos, GgufWriter& out);

}  // namespace ltri

#endif  // LTRI_WEIGHTS_HF_SPECIAL_TOKENS_H_
