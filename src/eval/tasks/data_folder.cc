#include "eval/tasks/data_folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "base/sha256.h"
#include "eval/score/text_units.h"
#include "text/utf8.h"

namespace ltri {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr size_t kShownDigits = 12;  // of a SHA-256

std::string FileName(const std::string& path) { return fs::path(path).filename().string(); }

// At two blank lines, as the texts that come with ltri have them; a text without is one chapter.
std::vector<std::string> Chapters(const std::string& text) {
  std::vector<std::string> chapters;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find("\n\n\n", begin), text.size());
    if (end > begin) chapters.push_back(text.substr(begin, end - begin));
    begin = std::min(text.find_first_not_of('\n', end), text.size());
  }
  return chapters;
}

// The texts of {"text": ...}, or of a list or lines of such.
std::vector<std::string> TextsOf(const std::vector<Json>& rows) {
  std::vector<std::string> texts;
  for (const Json& row : rows) {
    if (row.is_object() && row.contains("text") && row["text"].is_string()) texts.push_back(row["text"]);
  }
  return texts;
}

// Lower-case words of ASCII letters, each once.
std::vector<std::string> CommonWords(const std::string& text) {
  constexpr size_t kShortest = 4;
  constexpr size_t kLongest = 10;
  std::set<std::string> words;
  for (const std::string& word : ltri::Words(text)) {
    const bool plain = std::all_of(word.begin(), word.end(), [](char c) { return c >= 'a' && c <= 'z'; });
    if (plain && word.size() >= kShortest && word.size() <= kLongest) words.insert(word);
  }
  return {words.begin(), words.end()};
}

}  // namespace

std::string LabelledText::Whole() const { return Join(chapters, "\n\n"); }

std::optional<std::string> DataFolder::Find(const std::vector<std::string>& names) const {
  std::error_code ignored;
  if (folder_.empty()) return std::nullopt;
  for (const std::string& name : names) {
    const fs::path path = fs::path(folder_) / name;
    if (fs::exists(path, ignored)) return path.string();
  }
  return std::nullopt;
}

Result<std::string> DataFolder::OfficialLabel(const std::string& path) const {
  if (fs::is_directory(path)) return fmt::format("official: {}", FileName(path));
  const Result<std::string> hash = Sha256OfFile(path);
  if (!hash.ok()) return hash.error();
  return fmt::format("official: {} (sha256 {})", FileName(path), hash->substr(0, kShownDigits));
}

Result<std::string> DataFolder::ReadText(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Error{ErrorCode::kNotFound, fmt::format("cannot read {}: {}", path, std::strerror(errno))};
  std::ostringstream text;
  text << file.rdbuf();
  if (const auto at = FindInvalidUtf8(text.view()); at) {
    return Error{ErrorCode::kInvalidArgument, fmt::format("{} is not UTF-8 at byte {}", path, *at)};
  }
  return text.str();
}

Result<Json> DataFolder::ReadJson(const std::string& path) {
  const Result<std::string> text = ReadText(path);
  if (!text.ok()) return text.error();
  Json json = Json::parse(*text, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) return Error{ErrorCode::kCorrupt, fmt::format("{} is not JSON", path)};
  return json;
}

Result<std::vector<Json>> DataFolder::ReadJsonl(const std::string& path) {
  const Result<std::string> text = ReadText(path);
  if (!text.ok()) return text.error();
  std::vector<Json> rows;
  int64_t number = 0;
  for (const std::string& line : SplitAt(*text, '\n')) {
    ++number;
    if (line.find_first_not_of(" \r\t") == std::string::npos) continue;
    Json row = Json::parse(line, nullptr, false);
    if (row.is_discarded()) row = Json::parse(line.substr(0, line.rfind('}') + 1), nullptr, false);
    if (row.is_discarded()) return Error{ErrorCode::kCorrupt, fmt::format("{}, line {} is not JSON", path, number)};
    rows.push_back(std::move(row));
  }
  return rows;
}

// A text, a JSON or JSONL file with fields `text`, or a folder of texts.
Result<LabelledText> DataFolder::ReadHaystack(const std::string& path) const {
  LabelledText text;
  if (fs::is_directory(path)) {
    std::vector<std::string> paths;
    for (const fs::directory_entry& entry : fs::directory_iterator(path)) paths.push_back(entry.path().string());
    std::sort(paths.begin(), paths.end());
    return JoinTexts(paths);
  }
  if (path.ends_with(".jsonl")) {
    const auto rows = ReadJsonl(path);
    if (!rows.ok()) return rows.error();
    text.chapters = TextsOf(*rows);
  } else if (path.ends_with(".json")) {
    const auto json = ReadJson(path);
    if (!json.ok()) return json.error();
    text.chapters = TextsOf({*json});
  } else {
    const auto whole = ReadText(path);
    if (!whole.ok()) return whole.error();
    text.chapters = Chapters(*whole);
  }
  if (!text.chapters.empty()) return text;
  return Error{ErrorCode::kCorrupt, fmt::format("{} holds no text", path)};
}

Result<LabelledText> DataFolder::JoinTexts(const std::vector<std::string>& paths) const {
  LabelledText all;
  for (const std::string& path : paths) {
    Result<LabelledText> text = ReadHaystack(path);
    if (!text.ok()) return text.error();
    all.source += (all.source.empty() ? "" : ", ") + FileName(path);
    std::move(text->chapters.begin(), text->chapters.end(), std::back_inserter(all.chapters));
  }
  return all;
}

Result<LabelledText> DataFolder::Haystack(const std::vector<std::string>& official, const std::string& language) const {
  const bool english = language == "en";
  if (english && !texts_.empty()) {
    Result<LabelledText> own = JoinTexts(texts_);
    if (own.ok()) own->source = "stand-in: " + own->source;
    return own;
  }
  if (const auto path = Find(official); path) {
    Result<LabelledText> text = ReadHaystack(*path);
    if (!text.ok()) return text.error();
    const Result<std::string> label = OfficialLabel(*path);
    if (!label.ok()) return label.error();
    text->source = *label;
    return text;
  }
  const std::vector<std::string> stand_ins =
      english ? std::vector<std::string>{"text/gibbon-decline-and-fall.txt", "text/tolstoy-war-and-peace.txt"}
              : std::vector<std::string>{"text/cao-dream-of-the-red-chamber.zh.txt"};
  auto path = Find(stand_ins);
  if (!path && english && !shipped_.empty()) path = shipped_;
  if (!path) {
    return Error{ErrorCode::kNotFound, fmt::format("no text to hide in ({}): name a folder with {} in --data",
                                                   english ? "English" : "Chinese", stand_ins.front())};
  }
  Result<LabelledText> text = ReadHaystack(*path);
  if (text.ok()) text->source = "stand-in: " + FileName(*path);
  return text;
}

Result<SourceWords> DataFolder::Words(const std::vector<std::string>& lists) const {
  SourceWords words;
  std::set<std::string> seen;
  for (const std::string& name : lists) {
    const auto path = Find({"wordlists/" + name});
    if (!path) continue;
    const Result<std::string> text = ReadText(*path);
    if (!text.ok()) return text.error();
    for (const std::string& line : SplitAt(*text, '\n')) {
      const std::string word = Trim(line);
      if (!word.empty() && seen.insert(word).second) words.words.push_back(word);
    }
  }
  words.source = "synthetic";
  if (!words.words.empty()) return words;
  const Result<LabelledText> text = Haystack({}, "en");
  if (!text.ok()) return text.error();
  words.words = CommonWords(text->Whole());
  words.source = fmt::format("stand-in: words of {}", text->source.substr(text->source.find(' ') + 1));
  if (words.words.size() >= 100) return words;
  return Error{ErrorCode::kNotFound, "the texts have too few words for keys: name longer ones with --text"};
}

}  // namespace ltri
