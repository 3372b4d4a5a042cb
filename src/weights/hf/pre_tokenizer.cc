#include "weights/hf/pre_tokenizer.h"

#include <fmt/format.h>

#include <array>
#include <string_view>

#include "weights/hf/json_file.h"

namespace ltri {
namespace {

using nlohmann::json;

// Splitting patterns as they stand in tokenizer.json.
constexpr std::string_view kGpt2 = "gpt2";  // ByteLevel's own
constexpr std::string_view kLlama3 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kQwen2 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kTekken = R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|)"
                                     R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|)"
                                     R"(\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kGpt4o =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|)"
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|)"
    R"(\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

constexpr size_t kMostWritten = 500;
constexpr std::string_view kSpaceMark = "\xE2\x96\x81";

struct Known {
  std::string_view pattern;
  bool single_digits;   // digits are split off first
  bool ignores_merges;  // a word that is a token needs no merges
  std::string_view name;
  std::string_view name_without_bos;  // without a token that begins a text
};

constexpr std::array<Known, 8> kKnown = {{
    {kGpt2, false, false, "gpt-2", "gpt-2"},
    {kGpt2, true, false, "smollm", "smollm"},
    {kLlama3, false, true, "llama-bpe", "glm4"},
    {kLlama3, false, false, "dbrx", "chatglm-bpe"},
    {kQwen2, false, false, "qwen2", "qwen2"},
    {kTekken, false, true, "tekken", "tekken"},
    {kTekken, false, false, "tekken", "tekken"},
    {kGpt4o, false, false, "gpt-4o", "gpt-4o"},
}};

// The steps of "pre_tokenizer" or "normalizer", whether there are several or one or none.
json::array_t Steps(const json& tokenizer, const char* section, const char* list) {
  const json& step = Member(tokenizer, section);
  const json& steps = Member(step, list);
  if (Member(step, "type") == "Sequence" && steps.is_array()) return steps;
  return step.is_null() ? json::array_t() : json::array_t{step};
}

json::array_t PreSteps(const json& tokenizer) { return Steps(tokenizer, "pre_tokenizer", "pretokenizers"); }
json::array_t Normalizers(const json& tokenizer) { return Steps(tokenizer, "normalizer", "normalizers"); }

Error Unknown(const std::string& what, const json& found) {
  return {ErrorCode::kUnsupported,
          fmt::format("{} is {}, which is not supported; convert the model to GGUF with llama.cpp's "
                      "convert_hf_to_gguf.py and use that",
                      what, Written(found, kMostWritten))};
}

// What a list of steps does, as far as it is of a kind that models here have.
struct Split {
  std::string pattern;
  bool single_digits = false;
  bool is_known = true;

  void Add(const json& step) {
    const json& type = Member(step, "type");
    if (type == "Split" && pattern.empty()) {
      const json& regex = Member(Member(step, "pattern"), "Regex");
      is_known =
          is_known && regex.is_string() && Member(step, "behavior") == "Isolated" && Member(step, "invert") != true;
      if (regex.is_string()) pattern = regex.get<std::string>();
    } else if (type == "Digits" && pattern.empty()) {
      single_digits = true;
      is_known = is_known && Member(step, "individual_digits") == true;
    } else if (type == "ByteLevel" && Member(step, "add_prefix_space") != true) {
      const bool has_pattern = Member(step, "use_regex") != false;
      is_known = is_known && has_pattern == pattern.empty();
      if (has_pattern) pattern = kGpt2;
    } else {
      is_known = false;
    }
  }
};

}  // namespace

bool SplitsBytes(const json& json) {
  for (const auto& step : PreSteps(json)) {
    if (Member(step, "type") == "ByteLevel") return true;
  }
  return false;
}

Result<std::string> PreTokenizerName(const json& json, bool has_bos) {
  for (const auto& step : Normalizers(json)) {
    // llama.cpp has no NFC: texts nearly always are in this form already.
    if (Member(step, "type") != "NFC") return Unknown("normalizer", step);
  }
  Split split;
  for (const auto& step : PreSteps(json)) split.Add(step);
  const bool ignores_merges = Member(Member(json, "model"), "ignore_merges") == true;
  for (const Known& known : kKnown) {
    if (split.is_known && split.pattern == known.pattern && split.single_digits == known.single_digits &&
        ignores_merges == known.ignores_merges) {
      return std::string(has_bos ? known.name : known.name_without_bos);
    }
  }
  return Unknown(fmt::format("pre_tokenizer (with ignore_merges {})", ignores_merges), Member(json, "pre_tokenizer"));
}

Result<bool> PrefixesSpace(const json& json) {
  bool prefixes = false;
  for (const auto& step : Normalizers(json)) {
    const auto& type = Member(step, "type");
    if (type == "Prepend" && Member(step, "prepend") == kSpaceMark) {
      prefixes = true;
    } else if (type != "Replace" || Member(Member(step, "pattern"), "String") != " " ||
               Member(step, "content") != kSpaceMark) {
      return Unknown("normalizer", step);
    }
  }
  for (const auto& step : PreSteps(json)) {
    const auto& type = Member(step, "type");
    if (type == "Metaspace" && Member(step, "replacement") == kSpaceMark) {
      const auto& scheme = Member(step, "prepend_scheme");
      prefixes = scheme.is_null() ? Member(step, "add_prefix_space") != false : scheme != "never";
    } else if (type != "Split" ||
               Member(Member(step, "pattern"), "String") != " ") {  // of spaces that are marks by now
      return Unknown("pre_tokenizer", step);
    }
  }
  return prefixes;
}

}  // namespace ltri
