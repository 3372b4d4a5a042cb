#include "weights/hf/special_tokens.h"

#include <algorithm>
#include <filesystem>

#include "base/mapped_file.h"
#include "weights/hf/json_file.h"

namespace ltri {
namespace {

using nlohmann::json;
using FindToken = std::function<std::optional<uint32_t>(const std::string&)>;

// An empty object when there is no such file.
Result<json> ReadOptional(const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return json(json::object());
  return ReadJsonFile(path);
}

// A special token is a text or an object that holds it; empty: none.
std::string TextOf(const json& token) {
  const json& text = token.is_object() ? Member(token, "content") : token;
  return text.is_string() ? text.get<std::string>() : "";
}

class Reader {
 public:
  Reader(json tokenizer_config, std::vector<json> configs, int64_t rows, const FindToken& find)
      : tokenizer_config_(std::move(tokenizer_config)), configs_(std::move(configs)), rows_(rows), find_(find) {}

  std::optional<uint32_t> Find(const std::string& role) const {
    if (const auto id = find_(TextOf(Member(tokenizer_config_, (role + "_token").c_str())))) return id;
    const std::vector<uint32_t> ids = Ids(role);
    return ids.empty() ? std::nullopt : std::optional(ids.front());
  }

  // By number, in generation_config.json and config.json: one or a list.
  std::vector<uint32_t> Ids(const std::string& role) const {
    std::vector<uint32_t> ids;
    for (const json& config : configs_) {
      const json& value = Member(config, (role + "_token_id").c_str());
      for (const json& id : value.is_array() ? value : json::array({value})) {
        if (!id.is_number_unsigned() || id.get<uint64_t>() >= static_cast<uint64_t>(rows_)) continue;
        const auto number = id.get<uint32_t>();
        if (std::find(ids.begin(), ids.end(), number) == ids.end()) ids.push_back(number);
      }
    }
    return ids;
  }

  void ReadPostProcessor(const json& tokenizer, SpecialTokens& special) const;

 private:
  const json tokenizer_config_;
  const std::vector<json> configs_;
  const int64_t rows_;
  const FindToken& find_;
};

// What transformers puts in front of and behind a text.
void Reader::ReadPostProcessor(const json& tokenizer, SpecialTokens& special) const {
  const json& whole = Member(tokenizer, "post_processor");
  const json& list = Member(whole, "processors");
  for (const json& step : list.is_array() ? list : json::array({whole})) {
    const json& type = Member(step, "type");
    if (type == "ByteLevel") {
      special.adds_bos = special.adds_bos.value_or(false);
      special.adds_eos = special.adds_eos.value_or(false);
    }
    const json& pieces = Member(step, "single");
    if (type != "TemplateProcessing" || !pieces.is_array() || pieces.size() < 2) continue;
    if (const auto first = find_(TextOf(Member(Member(pieces.front(), "SpecialToken"), "id")))) {
      if (!special.bos) special.bos = first;
      special.adds_bos = special.bos == first;
    }
    if (const auto last = find_(TextOf(Member(Member(pieces.back(), "SpecialToken"), "id")))) {
      special.adds_eos = !special.ends.empty() && special.ends.front() == *last;
    }
  }
  const auto flag = [&](const char* name, std::optional<bool>& value) {
    const json& said = Member(tokenizer_config_, name);
    if (!value && said.is_boolean()) value = said.get<bool>();
  };
  flag("add_bos_token", special.adds_bos);
  flag("add_eos_token", special.adds_eos);
}

// In tokenizer_config.json, one or a list with names; else in a file of its own.
Result<std::string> ReadChatTemplate(const std::string& folder, const json& tokenizer_config) {
  const json& said = Member(tokenizer_config, "chat_template");
  if (said.is_string()) return said.get<std::string>();
  if (said.is_array()) {
    for (const json& entry : said) {
      if (Member(entry, "name") == "default") return TextOf(Member(entry, "template"));
    }
  }
  std::error_code ignored;
  const std::string path = folder + "/chat_template.jinja";
  if (!std::filesystem::exists(path, ignored)) {
    const Result<json> file = ReadOptional(folder + "/chat_template.json");
    if (!file.ok()) return file.error();
    return TextOf(Member(*file, "chat_template"));
  }
  const Result<MappedFile> file = MappedFile::Open(path);
  if (!file.ok()) return file.error();
  return std::string(reinterpret_cast<const char*>(file->bytes().data()), file->bytes().size());
}

}  // namespace

Result<SpecialTokens> ReadSpecialTokens(const std::string& folder, const json& tokenizer, const json& config,
                                        int64_t rows, const FindToken& find) {
  const Result<json> tokenizer_config = ReadOptional(folder + "/tokenizer_config.json");
  if (!tokenizer_config.ok()) return tokenizer_config.error();
  const Result<json> generation = ReadOptional(folder + "/generation_config.json");
  if (!generation.ok()) return generation.error();
  Result<std::string> chat_template = ReadChatTemplate(folder, *tokenizer_config);
  if (!chat_template.ok()) return chat_template.error();

  const Reader reader(*tokenizer_config, {*generation, config, Member(config, "text_config")}, rows, find);
  SpecialTokens special;
  special.chat_template = *std::move(chat_template);
  special.bos = reader.Find("bos");
  special.unknown = reader.Find("unk");
  special.padding = reader.Find("pad");
  if (const auto eos = reader.Find("eos")) special.ends.push_back(*eos);
  for (const uint32_t end : reader.Ids("eos")) {
    if (end != special.ends.front()) special.ends.push_back(end);
  }
  reader.ReadPostProcessor(tokenizer, special);
  return special;
}

void WriteSpecialTokens(const SpecialTokens& special, bool adds_bos, GgufWriter& out) {
  const auto write = [&](const std::string& role, std::optional<uint32_t> id) {
    if (id) out.SetTokenId("tokenizer.ggml." + role + "_token_id", *id);
  };
  write("bos", special.bos);
  write("unknown", special.unknown);
  write("padding", special.padding);
  const char* const kEnds[] = {"eos", "eot", "eom"};  // as many as the format has names for
  for (size_t i = 0; i < std::min(special.ends.size(), std::size(kEnds)); ++i) write(kEnds[i], special.ends[i]);
  out.SetFlag("tokenizer.ggml.add_bos_token", special.bos && special.adds_bos.value_or(adds_bos));
  out.SetFlag("tokenizer.ggml.add_eos_token", !special.ends.empty() && special.adds_eos.value_or(false));
  if (!special.chat_template.empty()) out.SetText("tokenizer.chat_template", special.chat_template);
}

}  // namespace ltri
