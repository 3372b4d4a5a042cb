#include "support/hf_tokenizer.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "support/temporary_folder.h"
#include "weights/gguf_writer.h"
#include "weights/hf/hf_vocabulary.h"

namespace ltri::testing {
namespace {

using nlohmann::json;

constexpr const char* kMark = "\xE2\x96\x81";
enum Kind : int64_t { kNormal = 1, kUnknown = 2, kControl = 3, kUserDefined = 4, kUnused = 5, kByte = 6 };

struct Piece {
  std::string text;
  int64_t kind = kNormal;
  double score = 0;
};

std::string Replaced(std::string text, const std::string& from, const std::string& to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

std::vector<Piece> Pieces(const GgufFile& gguf, bool is_bytes) {
  std::vector<Piece> pieces;
  const auto texts = gguf.Strings("tokenizer.ggml.tokens");
  for (const std::string_view text : *texts) {
    const size_t i = pieces.size();
    Piece piece{std::string(text)};
    if (const auto kind = gguf.Integer("tokenizer.ggml.token_type", i); kind.ok()) piece.kind = *kind;
    if (const auto score = gguf.Number("tokenizer.ggml.scores", i); score.ok()) piece.score = *score;
    if (!is_bytes && piece.kind == kUserDefined) piece.text = Replaced(piece.text, " ", kMark);
    pieces.push_back(std::move(piece));
  }
  return pieces;
}

// As transformers makes them of a SentencePiece model: every way to put a piece together from two, best pieces first.
json MergesOf(const std::vector<Piece>& pieces) {
  std::unordered_map<std::string, bool> known;
  for (const Piece& piece : pieces) known[piece.text] = piece.kind == kNormal || piece.kind == kUserDefined;
  std::vector<std::tuple<double, size_t, std::string, std::string>> merges;
  for (const Piece& piece : pieces) {
    if (!known[piece.text]) continue;
    for (size_t cut = 1; cut < piece.text.size(); ++cut) {
      if ((static_cast<unsigned char>(piece.text[cut]) & 0xC0U) == 0x80U) continue;  // inside a character
      const std::string left = piece.text.substr(0, cut);
      const std::string right = piece.text.substr(cut);
      const auto has = [&](const std::string& text) { return known.contains(text) && known[text]; };
      if (has(left) && has(right))
        merges.emplace_back(piece.kind == kUserDefined ? -1.0 : -piece.score, right.size(), left, right);
    }
  }
  std::sort(merges.begin(), merges.end());
  json list = json::array();
  for (const auto& [score, size, left, right] : merges) list.push_back(fmt::format("{} {}", left, right));
  return list;
}

json ByteLevel(bool use_regex) {
  return {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", use_regex}};
}

json SplitThenBytes(const char* pattern) {
  return {{"type", "Sequence"},
          {"pretokenizers",
           {{{"type", "Split"}, {"pattern", {{"Regex", pattern}}}, {"behavior", "Isolated"}, {"invert", false}},
            ByteLevel(false)}}};
}

// The sections of the models' own files that llama.cpp's names stand for.
json PreTokenizer(const std::string& pre) {
  constexpr const char* kContractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
  constexpr const char* kWords = "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|";
  constexpr const char* kRest = "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
  const auto pattern = [&](const char* digits) { return std::string(kContractions) + kWords + digits + kRest; };
  if (pre == "gpt-2") return ByteLevel(true);
  if (pre == "llama-bpe") return SplitThenBytes(pattern("\\p{N}{1,3}").c_str());
  if (pre == "qwen2") return SplitThenBytes(pattern("\\p{N}").c_str());
  if (pre == "smollm") {
    return {{"type", "Sequence"},
            {"pretokenizers", {{{"type", "Digits"}, {"individual_digits", true}}, ByteLevel(true)}}};
  }
  std::abort();
}

json Normalizer(bool prefixes_space) {
  json steps = json::array();
  if (prefixes_space) steps.push_back({{"type", "Prepend"}, {"prepend", kMark}});
  steps.push_back({{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", kMark}});
  return {{"type", "Sequence"}, {"normalizers", steps}};
}

void WriteJson(const std::string& path, const json& value) {
  std::ofstream(path) << value.dump(1, ' ', false, json::error_handler_t::replace);
}

std::vector<std::string> TokenizerTexts() {
  std::ifstream file(LTRI_TEST_VOCABULARIES "/ggml-vocab-llama-bpe.gguf.inp");
  std::vector<std::string> parts = {
      "<s>",          "</s>",    "<|im_end|>", "<|eot_id|>", "<|end|>  x", "<start_of_turn>user", "  ", "\n\n", "\t",
      "    indented", "1234567", "\r\n",       "I'VE",       "\xC2\xA0"};
  for (std::string line; std::getline(file, line);) parts.push_back(line);
  std::vector<std::string> texts = parts;
  std::mt19937 random(1);
  for (int i = 0; i < 300; ++i) {
    std::string text;
    for (int j = 0; j < 12; ++j) text += parts[random() % parts.size()];
    texts.push_back(text);
  }
  return texts;
}

}  // namespace

void WriteHfTokenizer(const GgufFile& gguf, const std::string& folder, bool merges_as_pairs) {
  const std::string kind = *gguf.Text("tokenizer.ggml.model");
  const bool is_bytes = kind == "gpt2";
  if (!is_bytes && kind != "llama") std::abort();
  const std::vector<Piece> pieces = Pieces(gguf, is_bytes);
  const auto pre = gguf.Text("tokenizer.ggml.pre");

  const auto title = gguf.Text("general.name");
  const bool is_phi =
      title.ok() && (title->find("phi3") != std::string::npos || title->find("Phi") != std::string::npos);
  json model = {{"type", "BPE"}, {"vocab", json::object()}, {"byte_fallback", !is_bytes}};
  model["ignore_merges"] = pre.ok() && *pre == "llama-bpe";
  json added = json::array();
  const auto unknown = gguf.Integer("tokenizer.ggml.unknown_token_id");
  for (size_t i = 0; i < pieces.size(); ++i) {
    const Piece& piece = pieces[i];
    const bool is_unknown = unknown.ok() && *unknown == static_cast<int64_t>(i);
    if (piece.kind == kUnused || (piece.kind == kUnknown && !is_unknown)) continue;
    if (!is_bytes || piece.kind == kNormal) model["vocab"][piece.text] = i;
    if (piece.kind == kUnknown) model["unk_token"] = piece.text;
    if (piece.kind == kControl || piece.kind == kUserDefined) {
      added.push_back({{"id", i}, {"content", piece.text}, {"special", piece.kind == kControl}});
      added.back()["rstrip"] = is_phi && piece.text != "<|endoftext|>";
    }
  }
  model["merges"] = json::array();
  if (is_bytes) {
    const auto merges = gguf.Strings("tokenizer.ggml.merges");
    for (const std::string_view merge : *merges) model["merges"].push_back(merge);
  } else {
    model["merges"] = MergesOf(pieces);
  }
  if (merges_as_pairs) {
    for (json& merge : model["merges"]) {
      const auto text = merge.get<std::string>();
      const size_t space = text.find(' ', 1);
      merge = {text.substr(0, space), text.substr(space + 1)};
    }
  }

  json config = json::object();
  for (const auto& [role, name] :
       std::map<std::string, std::string>{{"bos", "bos"}, {"eos", "eos"}, {"unknown", "unk"}}) {
    const auto id = gguf.Integer("tokenizer.ggml." + role + "_token_id");
    if (id.ok()) config[name + "_token"] = pieces[static_cast<size_t>(*id)].text;
  }
  const auto adds_bos = gguf.Bool("tokenizer.ggml.add_bos_token");
  config["add_bos_token"] = adds_bos.ok() ? *adds_bos : !is_bytes || *pre == "llama-bpe";
  if (const auto chat = gguf.Text("tokenizer.chat_template"); chat.ok()) config["chat_template"] = *chat;
  const auto prefix = gguf.Bool("tokenizer.ggml.add_space_prefix");
  const json no_step;
  WriteJson(folder + "/tokenizer.json", {{"version", "1.0"},
                                         {"added_tokens", added},
                                         {"normalizer", is_bytes ? no_step : Normalizer(!prefix.ok() || *prefix)},
                                         {"pre_tokenizer", is_bytes ? PreTokenizer(*pre) : no_step},
                                         {"model", model}});
  WriteJson(folder + "/tokenizer_config.json", config);
}

std::shared_ptr<Tokenizer> TokenizerByFolder(const std::string& gguf_path, bool merges_as_pairs) {
  const TemporaryFolder folder;
  const GgufFile gguf = *GgufFile::Open(gguf_path);
  WriteHfTokenizer(gguf, folder.path(), merges_as_pairs);
  GgufWriter header;
  header.SetText("general.architecture", "llama");
  const auto rows = static_cast<int64_t>(gguf.Strings("tokenizer.ggml.tokens")->size());
  const Status added = AddHfVocabulary(folder.path(), json::object(), rows, header);
  EXPECT_TRUE(added.ok()) << added.error().message;
  auto tokenizer = Tokenizer::Parse(header.Finish(), gguf_path);
  EXPECT_TRUE(tokenizer.ok()) << (tokenizer.ok() ? "" : tokenizer.error().message);
  return tokenizer.ok() ? *tokenizer : nullptr;
}

void ExpectSameTokenizer(const Tokenizer& expected, const Tokenizer& actual) {
  EXPECT_EQ(actual.kind(), expected.kind());
  EXPECT_EQ(actual.vocabulary(), expected.vocabulary());
  EXPECT_EQ(actual.bos(), expected.bos());
  EXPECT_EQ(actual.eos(), expected.eos());
  EXPECT_EQ(actual.adds_bos(), expected.adds_bos());
  for (const std::string& text : TokenizerTexts()) {
    for (const bool parse_special : {false, true}) {
      const auto tokens = expected.Encode(text, true, parse_special);
      const auto ours = actual.Encode(text, true, parse_special);
      ASSERT_TRUE(tokens.ok() && ours.ok());
      ASSERT_EQ(*ours, *tokens) << text;
      ASSERT_EQ(actual.Decode(*ours), expected.Decode(*tokens)) << text;
    }
  }
  for (TokenId token = 0; token < expected.vocabulary(); ++token) {
    EXPECT_EQ(actual.IsEndOfGeneration(token), expected.IsEndOfGeneration(token)) << token;
  }
}

}  // namespace ltri::testing
