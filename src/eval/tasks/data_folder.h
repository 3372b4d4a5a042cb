// DataFolder: the texts and lists that prompts are made from: official files by path, else stand-ins, always labelled.
//
// Thread safety: one caller at a time (what was read is kept).
#ifndef LTRI_EVAL_TASKS_DATA_FOLDER_H_
#define LTRI_EVAL_TASKS_DATA_FOLDER_H_

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "ltri/result.h"

namespace ltri {

// A text and what a report says of where it comes from.
struct LabelledText {
  std::vector<std::string> chapters;  // in order; together the text
  std::string source;                 // "stand-in: moby-dick.txt"

  std::string Whole() const;
};

struct SourceWords {
  std::vector<std::string> words;
  std::string source;
};

class DataFolder {
 public:
  // folder: of official files and texts (docs/evaluation.md has the names), may be empty. texts: haystacks of the
  // person's own, before all others. shipped: a book for when there is nothing else; may be empty.
  DataFolder(std::string folder, std::vector<std::string> texts, std::string shipped)
      : folder_(std::move(folder)), texts_(std::move(texts)), shipped_(std::move(shipped)) {}

  // The path of the first of these files that exists in the folder.
  std::optional<std::string> Find(const std::vector<std::string>& names) const;
  // "official: a.json (sha256 0123456789ab)".
  Result<std::string> OfficialLabel(const std::string& path) const;

  // Haystacks. official: names of the suite's own files, tried after the person's texts. Error kNotFound names what is
  // missing.
  Result<LabelledText> Haystack(const std::vector<std::string>& official, const std::string& language) const;

  // Nouns, adjectives and verbs; without word lists, words of the haystack.
  Result<SourceWords> Words(const std::vector<std::string>& lists) const;

  // A JSON file, and the objects of a JSONL file: split at line ends only, what follows a line's first object is
  // ignored.
  static Result<nlohmann::ordered_json> ReadJson(const std::string& path);
  static Result<std::vector<nlohmann::ordered_json>> ReadJsonl(const std::string& path);
  static Result<std::string> ReadText(const std::string& path);

 private:
  Result<LabelledText> ReadHaystack(const std::string& path) const;
  Result<LabelledText> JoinTexts(const std::vector<std::string>& paths) const;

  std::string folder_;
  std::vector<std::string> texts_;
  std::string shipped_;
};

}  // namespace ltri

#endif  // LTRI_EVAL_TASKS_DATA_FOLDER_H_
