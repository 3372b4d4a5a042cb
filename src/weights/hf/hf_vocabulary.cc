#include "weights/hf/hf_vocabulary.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "weights/gguf_file.h"
#include "weights/hf/json_file.h"
#include "weights/hf/pre_tokenizer.h"
#include "weights/hf/special_tokens.h"

namespace ltri {
namespace {

using nlohmann::json;

// The numbers are GGUF's.
enum Kind : int32_t { kNormal = 1, kUnknown = 2, kControl = 3, kUserDefined = 4, kUnused = 5, kByte = 6 };

constexpr int64_t kMostTokens = int64_t{1} << 22;
constexpr float kUnmerged = -1e8F;  // below the score of any merge

bool LooksSpecial(std::string_view text) {
  return (text.starts_with("<|") && text.ends_with("|>")) || (text.starts_with("<unused") && text.ends_with(">")) ||
         text == "<pad>" || text == "<mask>";
}

// <0x0A>
bool IsByte(std::string_view text) {
  return text.size() == 6 && text.starts_with("<0x") && text.ends_with(">") &&
         text.find_first_not_of("0123456789ABCDEF", 3) == 5;
}

// llama.cpp looks for what users defined in the text as it is.
std::string WithSpaces(std::string text) {
  constexpr std::string_view kMark = "\xE2\x96\x81";
  for (size_t at = text.find(kMark); at != std::string::npos; at = text.find(kMark, at)) {
    text.replace(at, kMark.size(), " ");
  }
  return text;
}

// The last part of the path.
std::string NameOf(const std::string& folder) {
  std::error_code ignored;
  const std::filesystem::path path = std::filesystem::weakly_canonical(folder, ignored);
  return (path.has_filename() ? path : path.parent_path()).filename().string();
}

bool NamesPhi3(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
  return name.find("phi-3") != std::string::npos || name.find("phi3") != std::string::npos;
}

class Vocabulary {
 public:
  Vocabulary(const json& tokenizer, const std::string& path, int64_t rows)
      : tokenizer_(tokenizer), model_(Member(tokenizer, "model")), path_(path) {
    texts_.resize(static_cast<size_t>(rows));
    kinds_.resize(texts_.size(), kUnused);
  }

  Status ReadTokens();
  Status ReadAddedTokens();
  Status FillUp();
  Status WriteBytePairs(GgufWriter& out, bool has_bos);
  Status WritePieces(GgufWriter& out);
  void WriteName(const std::string& folder, GgufWriter& out) const;

  std::optional<uint32_t> Find(const std::string& text) const {
    const auto found = ids_.find(text);
    return found == ids_.end() ? std::nullopt : std::optional(found->second);
  }

 private:
  // The two halves of a merge.
  Result<std::pair<std::string, std::string>> Halves(const json& merge) const;
  // A token and how many bytes of it are the left half.
  struct Merge {
    uint32_t token = 0;
    size_t cut = 0;
  };
  Result<std::vector<Merge>> ReadMerges() const;
  Status CheckPairs(const std::vector<Merge>& merges) const;
  std::vector<float> Scores(const std::vector<Merge>& merges) const;
  bool IsPart(const std::string& text) const {
    const auto id = Find(text);
    return id && kinds_[*id] == kNormal;
  }
  const json& Merges() const { return Member(model_, "merges"); }
  void WriteTokens(GgufWriter& out) const;

  Error Wrong(ErrorCode code, const std::string& message) const {
    return {code, fmt::format("{}: {}", path_, message)};
  }

  const json& tokenizer_;
  const json& model_;
  const std::string& path_;
  std::vector<std::string> texts_;
  std::vector<int32_t> kinds_;
  std::unordered_map<std::string, uint32_t> ids_;
};

Status Vocabulary::ReadTokens() {
  const json& vocab = Member(model_, "vocab");
  const json& type = Member(model_, "type");
  const bool is_bpe = vocab.is_object() && (type.is_null() || type == "BPE") && Merges().is_array();
  if (!is_bpe) {
    return Wrong(
        ErrorCode::kUnsupported,
        fmt::format("model.type is {}, expected BPE with vocab and merges; convert the model to GGUF", Written(type)));
  }
  const json& unknown = Member(model_, "unk_token");
  const bool has_bytes = Member(model_, "byte_fallback") == true;
  for (const auto& [text, id] : vocab.items()) {
    if (!id.is_number_unsigned() || id.get<uint64_t>() >= texts_.size()) {
      return Wrong(ErrorCode::kCorrupt, fmt::format("model.vocab has {} for {}, but the embedding has {} rows",
                                                    Written(id), Quoted(text), texts_.size()));
    }
    const auto index = id.get<size_t>();
    if (kinds_[index] != kUnused) {
      return Wrong(ErrorCode::kCorrupt,
                   fmt::format("model.vocab has {} for both {} and {}", index, Quoted(texts_[index]), Quoted(text)));
    }
    texts_[index] = text;
    kinds_[index] = unknown == text ? kUnknown : has_bytes && IsByte(text) ? kByte : kNormal;
  }
  return {};
}

// Those beyond the embedding stand for images and the like, which the model does not read.
Status Vocabulary::ReadAddedTokens() {
  for (const json& token : Member(tokenizer_, "added_tokens")) {
    const json& id = Member(token, "id");
    const json& content = Member(token, "content");
    if (!id.is_number_unsigned() || !content.is_string()) {
      return Wrong(ErrorCode::kCorrupt, fmt::format("added_tokens has {}, expected id and content", Written(token)));
    }
    if (id.get<uint64_t>() >= texts_.size()) continue;
    const auto index = id.get<size_t>();
    const auto text = content.get<std::string>();
    const bool special = Member(token, "special") == true || LooksSpecial(text);
    if (kinds_[index] != kUnknown) kinds_[index] = special ? kControl : kUserDefined;
    texts_[index] = special ? text : WithSpaces(text);
  }
  return {};
}

// Every row has a text of its own: llama.cpp needs that, and reads texts up to their first zero byte.
Status Vocabulary::FillUp() {
  for (size_t i = 0; i < texts_.size(); ++i) {
    if (texts_[i].empty() || texts_[i].find('\0') != std::string::npos) {
      texts_[i] = fmt::format("[PAD{}]", i);
      kinds_[i] = kUnused;
    }
    const auto placed = ids_.emplace(texts_[i], static_cast<uint32_t>(i));
    if (placed.second) continue;
    return Wrong(ErrorCode::kCorrupt,
                 fmt::format("tokens {} and {} are both {}", placed.first->second, i, Quoted(texts_[i])));
  }
  return {};
}

Result<std::pair<std::string, std::string>> Vocabulary::Halves(const json& merge) const {
  if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string()) {
    return std::pair(merge[0].get<std::string>(), merge[1].get<std::string>());
  }
  if (merge.is_string()) {
    const auto text = merge.get<std::string>();
    const size_t space = text.find(' ', 1);
    if (space != std::string::npos) return std::pair(text.substr(0, space), text.substr(space + 1));
  }
  return Wrong(ErrorCode::kCorrupt, fmt::format("model.merges has {}, expected two texts", Written(merge)));
}

void Vocabulary::WriteTokens(GgufWriter& out) const {
  out.SetTexts("tokenizer.ggml.tokens", texts_);
  out.SetIntegers("tokenizer.ggml.token_type", kinds_);
}

Status Vocabulary::WriteBytePairs(GgufWriter& out, bool has_bos) {
  const Result<std::string> name = PreTokenizerName(tokenizer_, has_bos);
  if (!name.ok()) return Wrong(name.error().code, name.error().message);
  std::vector<std::string> merges;
  for (const json& merge : Merges()) {
    const auto halves = Halves(merge);
    if (!halves.ok()) return halves.error();
    merges.push_back(halves->first + " " + halves->second);
  }
  out.SetText("tokenizer.ggml.model", "gpt2");
  out.SetText("tokenizer.ggml.pre", *name);
  WriteTokens(out);
  out.SetTexts("tokenizer.ggml.merges", merges);
  return {};
}

Result<std::vector<Vocabulary::Merge>> Vocabulary::ReadMerges() const {
  std::vector<Merge> merges;
  for (const json& merge : Merges()) {
    const auto halves = Halves(merge);
    if (!halves.ok()) return halves.error();
    const auto id = Find(halves->first + halves->second);
    // What users defined is found in a text before anything is merged.
    if (id && kinds_[*id] == kNormal) merges.push_back({*id, halves->first.size()});
  }
  return merges;
}

// SentencePiece merges any two neighbours that make a token. Files that were made of its models list all such pairs;
// those of another training list one for each token, and give other tokens then.
Status Vocabulary::CheckPairs(const std::vector<Merge>& merges) const {
  std::unordered_set<uint64_t> listed;
  const auto key = [](const Merge& merge) { return uint64_t{merge.token} << 32U | merge.cut; };
  for (const Merge& merge : merges) listed.insert(key(merge));
  size_t pairs = 0;
  size_t missing = 0;
  for (uint32_t token = 0; token < texts_.size(); ++token) {
    const std::string& text = texts_[token];
    for (size_t cut = 1; kinds_[token] == kNormal && cut < text.size(); ++cut) {
      if (!IsPart(text.substr(0, cut)) || !IsPart(text.substr(cut))) continue;
      pairs += 1;
      if (!listed.contains(key({token, cut}))) missing += 1;
    }
  }
  if (missing * 100 <= pairs) return {};
  return Wrong(
      ErrorCode::kUnsupported,
      fmt::format("model.merges has {} of the {} pairs that make a token, so it is not of SentencePiece's kind, "
                  "and pre_tokenizer has no ByteLevel; such tokenizers are not supported",
                  pairs - missing, pairs));
}

// The better, the earlier its merges are listed. Where those of several tokens are mixed, they had the same score.
std::vector<float> Vocabulary::Scores(const std::vector<Merge>& merges) const {
  std::vector<size_t> last(texts_.size());
  for (size_t rank = 0; rank < merges.size(); ++rank) last[merges[rank].token] = rank;
  std::vector<float> scores(texts_.size(), kUnmerged);
  size_t first = 0;  // of a stretch of merges that is mixed with nothing outside it
  size_t end = 0;
  for (size_t rank = 0; rank < merges.size(); ++rank) {
    if (rank >= end) first = rank;
    end = std::max(end, last[merges[rank].token] + 1);
    scores[merges[rank].token] = -static_cast<float>(first);
  }
  return scores;
}

Status Vocabulary::WritePieces(GgufWriter& out) {
  const Result<bool> prefixes_space = PrefixesSpace(tokenizer_);
  if (!prefixes_space.ok()) return Wrong(prefixes_space.error().code, prefixes_space.error().message);
  const Result<std::vector<Merge>> merges = ReadMerges();
  if (!merges.ok()) return merges.error();
  if (Status status = CheckPairs(*merges); !status.ok()) return status;
  out.SetText("tokenizer.ggml.model", "llama");
  out.SetText("tokenizer.ggml.pre", "default");
  WriteTokens(out);
  out.SetNumbers("tokenizer.ggml.scores", Scores(*merges));
  out.SetFlag("tokenizer.ggml.add_space_prefix", *prefixes_space);
  return {};
}

// llama.cpp takes away spaces behind special tokens when a model's name says phi-3, and then needs these tokens. Here
// tokenizer.json says whether to.
void Vocabulary::WriteName(const std::string& folder, GgufWriter& out) const {
  const json& added = Member(tokenizer_, "added_tokens");
  const bool strips_end = std::any_of(added.begin(), added.end(), [](const json& token) {
    return Member(token, "content") == "</s>" && Member(token, "rstrip") == true;
  });
  const bool strips = strips_end && Find("<unk>") && Find("<s>") && Find("<|endoftext|>");
  const std::string name = NameOf(folder);
  if (strips == NamesPhi3(name)) {
    out.SetText("general.name", name);
  } else if (strips) {
    out.SetText("general.name", name + " (phi-3)");
  }
}

}  // namespace

Status AddHfVocabulary(const std::string& folder, const json& config, int64_t rows, GgufWriter& out) {
  const std::string path = folder + "/tokenizer.json";
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) {
    return Error{ErrorCode::kNotFound, fmt::format("{}: no such file; a tokenizer in another form is not read: convert "
                                                   "the model to GGUF",
                                                   path)};
  }
  if (rows > kMostTokens) {
    return Error{ErrorCode::kUnsupported,
                 fmt::format("{}: the embedding has {} rows, more than {}", folder, rows, kMostTokens)};
  }
  const Result<json> tokenizer = ReadJsonFile(path);
  if (!tokenizer.ok()) return tokenizer.error();
  Vocabulary vocabulary(*tokenizer, path, rows);
  for (const auto step : {&Vocabulary::ReadTokens, &Vocabulary::ReadAddedTokens, &Vocabulary::FillUp}) {
    if (Status status = (vocabulary.*step)(); !status.ok()) return status;
  }
  const auto find = [&](const std::string& text) { return vocabulary.Find(text); };
  const Result<SpecialTokens> special = ReadSpecialTokens(folder, *tokenizer, config, rows, find);
  if (!special.ok()) return special.error();
  const bool is_bytes = SplitsBytes(*tokenizer);
  Status status = is_bytes ? vocabulary.WriteBytePairs(out, special->bos.has_value()) : vocabulary.WritePieces(out);
  if (status.ok()) WriteSpecialTokens(*special, /*adds_bos=*/!is_bytes, out);
  vocabulary.WriteName(folder, out);
  return status;
}

}  // namespace ltri
