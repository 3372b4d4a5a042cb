#include "library/open_documents.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "library/fingerprint.h"
#include "library/model_check.h"
#include "text/utf8.h"

namespace ltri {
namespace {

constexpr size_t kLongestLine = 200;  // bytes
constexpr std::string_view kWhite = " \t\r\n";

// The documents, when they can be read as one.
Result<std::vector<StoredDocument>> OpenAll(Store& store, const Model& model, const std::vector<std::string>& names) {
  if (names.empty()) return Error{ErrorCode::kInvalidArgument, "no document is named"};
  const Result<uint64_t> fingerprint = ModelFingerprint(model.info().path);
  if (!fingerprint.ok()) return fingerprint.error();
  std::set<std::string> seen;
  std::vector<StoredDocument> documents;
  for (const std::string& name : names) {
    if (!seen.insert(name).second) {
      return Error{ErrorCode::kInvalidArgument, fmt::format("document '{}' is named twice", name)};
    }
    Result<StoredDocument> document = StoredDocument::Open(store, name);
    if (!document.ok()) return document.error();
    if (Status status = CheckModel(document->record(), *fingerprint, model.info().path); !status.ok()) {
      return status.error();
    }
    if (!documents.empty() && !(document->record().settings == documents.front().record().settings)) {
      return Error{
          ErrorCode::kInvalidArgument,
          fmt::format("documents '{}' and '{}' were read with different settings (see `ltri library show`); index "
                      "one of them anew",
                      documents.front().record().name, name)};
    }
    documents.push_back(std::move(*document));
  }
  return documents;
}

// Cuts half characters and white space off both ends.
void Trim(StoredDocument::Passage& passage) {
  std::string& text = passage.text;
  size_t begin = 0;
  while (begin < text.size() && (static_cast<unsigned char>(text[begin]) & 0xC0) == 0x80) ++begin;
  begin = std::min(text.find_first_not_of(kWhite, begin), text.size());
  size_t end =
      std::max(begin, FindInvalidUtf8(std::string_view(text).substr(begin)).value_or(text.size() - begin) + begin);
  while (end > begin && kWhite.find(text[end - 1]) != std::string_view::npos) --end;
  text = text.substr(begin, end - begin);
  passage.byte_begin += static_cast<int64_t>(begin);
}

// The beginning of a text in one line.
std::string OneLine(std::string_view text) {
  std::string line;
  bool space = false;
  for (size_t at = 0; at < text.size();) {
    bool incomplete = false;
    const size_t length = std::max<size_t>(1, Utf8CharLength(text.substr(at), &incomplete));
    const bool white = kWhite.find(text[at]) != std::string_view::npos;
    if (white && !space) line += ' ';
    if (!white) line += text.substr(at, length);
    space = white;
    at += length;
    if (line.size() >= kLongestLine && at < text.size()) return line + "…";
  }
  return line;
}

}  // namespace

OpenDocuments::OpenDocuments(DocumentSession session, PromptFrame frame, std::vector<StoredDocument> documents)
    : session_(std::move(session)),
      frame_(std::move(frame)),
      documents_(std::move(documents)),
      places_(session_.places()) {
  if (places_.empty()) places_.push_back({0, documents_.front().record().tokens});
}

int64_t OpenDocuments::tokens() const {
  int64_t tokens = 0;
  for (const TokenRange& place : places_) tokens += place.count();
  return tokens;
}

Result<OpenDocuments> OpenDocuments::Open(Store& store, const std::shared_ptr<Model>& model,
                                          const std::vector<std::string>& names, const std::shared_ptr<Tier>& tier) {
  Result<std::vector<StoredDocument>> documents = OpenAll(store, *model, names);
  if (!documents.ok()) return documents.error();
  Result<PromptFrame> frame = PromptFrame::Create(*model, documents->front().record().settings.plain);
  if (!frame.ok()) return frame.error();
  std::vector<DocumentSession::Saved> saved;
  for (const StoredDocument& document : *documents) {
    if (documents->size() > 1 && !document.record().finished) {
      return Error{ErrorCode::kInvalidArgument,
                   fmt::format("document '{}' was not read to its end yet: `ltri index {}` goes on with it",
                               document.record().name, document.record().name)};
    }
    saved.push_back({document.session(), document.blocks()});
  }
  Result<DocumentSession> session = saved.size() == 1 ? DocumentSession::Restore(model, saved.front(), tier)
                                                      : DocumentSession::Join(model, saved, tier);
  if (!session.ok()) {
    return Error{session.error().code, fmt::format("{}: {}", fmt::join(names, ", "), session.error().message)};
  }
  return OpenDocuments(std::move(*session), std::move(*frame), std::move(*documents));
}

Result<std::vector<Citation>> OpenDocuments::Citations(int64_t most) const {
  std::vector<Citation> citations;
  for (const RecallShare& recalled : session_.Recalled()) {
    if (static_cast<int64_t>(citations.size()) >= most) break;
    for (size_t i = 0; i < documents_.size(); ++i) {
      const int64_t begin = std::max(recalled.begin, places_[i].begin);
      const int64_t end = std::min(recalled.end, places_[i].end);
      if (begin >= end) continue;
      Result<Citation> citation = Cite(documents_[i], begin - places_[i].begin, end - places_[i].begin);
      if (!citation.ok()) return citation.error();
      if (citation->text.empty()) continue;
      citation->share =
          recalled.share * static_cast<double>(end - begin) / static_cast<double>(recalled.end - recalled.begin);
      citations.push_back(std::move(*citation));
    }
  }
  return citations;
}

Result<Citation> OpenDocuments::Cite(const StoredDocument& document, int64_t token_begin, int64_t token_end) const {
  Result<StoredDocument::Passage> passage = document.Text(token_begin, token_end);
  if (!passage.ok()) return passage.error();
  Trim(*passage);
  Citation citation;
  citation.document = document.record().name;
  // The file that the passage begins in; what is beyond that file's end is left out.
  const Source* found = nullptr;
  for (const Source& source : document.record().sources) {
    if (source.bytes > 0 && source.text_begin <= passage->byte_begin) found = &source;
  }
  if (found == nullptr || passage->text.empty()) return citation;
  const Source& source = *found;
  const int64_t left = std::max<int64_t>(0, source.text_begin + source.bytes - passage->byte_begin);
  passage->text.resize(std::min(passage->text.size(), static_cast<size_t>(left)));
  Trim(*passage);
  citation.file = source.path;
  citation.byte_begin = passage->byte_begin - source.text_begin + source.skipped;
  citation.byte_end = citation.byte_begin + static_cast<int64_t>(passage->text.size());
  citation.text = OneLine(passage->text);
  return citation;
}

}  // namespace ltri
