#include "library/indexer.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <thread>
#include <utility>

#include "engine/engine.h"
#include "library/fingerprint.h"
#include "library/model_check.h"
#include "library/prompt_frame.h"
#include "library/text_block.h"

namespace ltri {
namespace {

constexpr std::chrono::milliseconds kFollowPause(200);
constexpr double kGuessedBytesPerToken = 4;
constexpr int64_t kLeastPiece = 64;  // bytes
constexpr int64_t kMostPiece = 16384;

std::string AbsolutePath(const std::string& file) {
  std::error_code error;
  const std::filesystem::path path = std::filesystem::absolute(file, error);
  return error ? file : path.lexically_normal().string();
}

std::string LastTwo(const std::string& text) { return text.substr(text.size() - std::min<size_t>(2, text.size())); }

ReadingSettings SettingsOf(const SessionOptions& session, bool plain) {
  return {session.method, session.sinks, session.window, session.budget, session.block, plain};
}

}  // namespace

Status Indexer::Run(const std::string& name, const std::vector<std::string>& files) {
  if (options_.commit_every < 1) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("a commit every {} tokens cannot be; give at least 1", options_.commit_every)};
  }
  if (Status status = Begin(name, files); !status.ok()) return status;
  if (Status status = CountBytes(); !status.ok()) return status;
  Status status = ReadFiles();
  if (status.ok() && options_.follow) status = Follow();
  if (status.ok() || status.error().code != ErrorCode::kCancelled) return status;
  if (Status committed = Commit(/*finished=*/false); !committed.ok()) return committed;
  if (options_.follow) return {};
  return Error{ErrorCode::kCancelled, fmt::format("stopped after {} tokens of '{}'; `ltri index {}` goes on there",
                                                  writer_->record().tokens, name, name)};
}

Status Indexer::Begin(const std::string& name, const std::vector<std::string>& files) {
  if (Status status = CheckDocumentName(name); !status.ok()) return status;
  const Result<uint64_t> fingerprint = ModelFingerprint(model_->info().path);
  if (!fingerprint.ok()) return fingerprint.error();
  for (const std::string& file : files) files_.push_back(AbsolutePath(file));
  const Result<std::vector<std::string>> names = store_.catalogue().Names();
  if (!names.ok()) return names.error();
  const bool is_new = std::find(names->begin(), names->end(), name) == names->end();
  if (is_new && files.empty()) {
    return Error{ErrorCode::kInvalidArgument, fmt::format("document '{}' is new: name the files to read", name)};
  }
  span_ends_.resize(static_cast<size_t>(model_->info().layers));
  return is_new ? BeginNew(name, *fingerprint) : GoOn(name, *fingerprint);
}

Status Indexer::BeginNew(const std::string& name, uint64_t fingerprint) {
  const Result<PromptFrame> frame = PromptFrame::Create(*model_, options_.plain);
  if (!frame.ok()) return frame.error();
  const Result<std::vector<TokenId>> opening = frame->Opening(*model_);
  if (!opening.ok()) return opening.error();
  // A file that cannot be read must not leave anything behind.
  for (const std::string& file : files_) {
    const Result<SourceText> text = SourceText::Open(FileSystem::Posix(), {.path = file});
    if (!text.ok()) return text.error();
  }
  AddSources();
  DocumentRecord record;
  record.name = name;
  record.fingerprint = fingerprint;
  record.model_path = AbsolutePath(model_->info().path);
  record.settings = SettingsOf(options_.session, frame->plain());
  Result<std::unique_ptr<DocumentWriter>> writer = DocumentWriter::Create(store_, std::move(record));
  if (!writer.ok()) return writer.error();
  writer_ = std::move(*writer);
  Result<DocumentSession> session =
      DocumentSession::Create(model_, options_.session, Tier::Create(options_.memory, writer_->blocks()));
  if (!session.ok()) return session.error();
  session_.emplace(std::move(*session));
  bytes_.emplace(static_cast<int64_t>(opening->size()), 0);
  return opening->empty() ? Status() : session_->session().Append(*opening);
}

// Those of files_ that are new.
void Indexer::AddSources() {
  while (sources_.size() < files_.size()) sources_.push_back({.path = files_[sources_.size()]});
}

// The source that was read last.
size_t Indexer::LastSource() const {
  size_t last = sources_.size() - 1;
  while (last > 0 && sources_[last].bytes == 0) --last;
  return last;
}

Status Indexer::GoOn(const std::string& name, uint64_t fingerprint) {
  Result<std::unique_ptr<DocumentWriter>> writer = DocumentWriter::Resume(store_, name);
  if (!writer.ok()) return writer.error();
  writer_ = std::move(*writer);
  const DocumentRecord& record = writer_->record();
  if (Status status = CheckModel(record, fingerprint, model_->info().path); !status.ok()) return status;
  sources_ = record.sources;
  std::vector<std::string> known;
  for (const Source& source : sources_) known.push_back(source.path);
  if (files_.empty()) files_ = known;
  if (files_.size() < known.size() || !std::equal(known.begin(), known.end(), files_.begin())) {
    return Error{ErrorCode::kInvalidArgument, fmt::format("document '{}' is of {}; name these first, then what is new",
                                                          name, fmt::join(known, ", "))};
  }
  AddSources();
  const std::vector<std::byte> state = writer_->TakeSession();
  Result<DocumentSession> session =
      DocumentSession::Restore(model_, {state, writer_->blocks()}, Tier::Create(options_.memory, writer_->blocks()));
  if (!session.ok()) return session.error();
  session_.emplace(std::move(*session));
  return FindTextEnd();
}

// What the text ends with, and where the tokens begin that are not in spans yet.
Status Indexer::FindTextEnd() {
  const DocumentRecord& record = writer_->record();
  const Result<std::vector<Catalogue::LayerEnd>> ends = store_.catalogue().SpanEnds(record.name);
  if (!ends.ok()) return ends.error();
  for (const Catalogue::LayerEnd& end : *ends) {
    if (end.layer >= 0 && end.layer < static_cast<int64_t>(span_ends_.size())) {
      span_ends_[static_cast<size_t>(end.layer)] = end.token_end;
    }
  }
  const int64_t open = OpenToken();
  for (const TextPiece& piece : record.texts) {
    if (piece.token_end <= open && piece.byte_end < record.text_bytes) continue;
    const Result<TextBlock> block = ReadTextBlock(*writer_->blocks(), piece, record.stored_bytes());
    if (!block.ok()) return block.error();
    if (!bytes_) bytes_.emplace(piece.token_begin, piece.byte_begin);
    bytes_->Append(block->token_bytes);
    text_end_ = LastTwo(block->text);
  }
  if (!bytes_) bytes_.emplace(record.tokens, record.text_bytes);
  return {};
}

// How much there is to read, for the progress.
Status Indexer::CountBytes() {
  for (size_t i = LastSource(); i < sources_.size(); ++i) {
    const Result<std::unique_ptr<File>> file = FileSystem::Posix().Open(sources_[i].path, OpenFor::kReading);
    if (!file.ok()) return file.error();
    const Result<int64_t> size = (*file)->Size();
    if (!size.ok()) return size.error();
    bytes_left_ += *size - sources_[i].skipped - sources_[i].bytes;
  }
  return {};
}

Status Indexer::ReadFiles() {
  for (size_t i = LastSource(); i < sources_.size(); ++i) {
    Source& source = sources_[i];
    const std::string separator = source.bytes == 0 ? Separator() : "";
    if (source.bytes == 0) {
      source.text_begin = writer_->record().text_bytes + static_cast<int64_t>(text_.text.size() + separator.size());
    }
    Result<SourceText> text = SourceText::Open(FileSystem::Posix(), source);
    if (!text.ok()) return text.error();
    if (!separator.empty()) {
      if (Status status = ReadPiece(separator); !status.ok()) return status;
    }
    text_source_.emplace(std::move(*text));
    const bool may_grow = options_.follow && i + 1 == sources_.size();
    if (Status status = ReadSource(source, /*partial_end=*/!may_grow); !status.ok()) return status;
  }
  if (writer_->record().text_bytes == 0 && text_.text.empty() && !options_.follow) {
    return Error{ErrorCode::kInvalidArgument, "there is nothing to index: the files are empty"};
  }
  if (text_.text.empty() && writer_->record().finished) return {};
  return Commit(/*finished=*/true);
}

// What text_source_ has now.
Status Indexer::ReadSource(Source& source, bool partial_end) {
  // A commit comes between two pieces.
  const auto piece_bytes =
      static_cast<size_t>(std::clamp(2 * std::min(options_.commit_every, kMostPiece), kLeastPiece, kMostPiece));
  while (true) {
    const Result<std::string> piece = text_source_->Next(model_->engine().tokenizer(), piece_bytes, partial_end);
    if (!piece.ok()) return piece.error();
    if (piece->empty()) return {};
    source = text_source_->source();
    if (Status status = ReadPiece(*piece); !status.ok()) return status;
    if (static_cast<int64_t>(text_.token_bytes.size()) < options_.commit_every) continue;
    if (Status status = Commit(/*finished=*/false); !status.ok()) return status;
  }
}

Status Indexer::ReadPiece(const std::string& text) {
  const Tokenizer& tokenizer = model_->engine().tokenizer();
  const bool begins = session_->session().tokens().empty();
  const Result<std::vector<TokenId>> tokens =
      begins ? tokenizer.Encode(text, /*add_special=*/true, /*parse_special=*/false)
             : tokenizer.EncodeNext(text, /*parse_special=*/false);
  if (!tokens.ok()) return tokens.error();
  const std::vector<uint32_t> lengths = ShareText(tokenizer, *tokens, text);
  text_.text += text;
  text_.token_bytes.insert(text_.token_bytes.end(), lengths.begin(), lengths.end());
  bytes_->Append(lengths);
  text_end_ = LastTwo(text_end_ + text);
  bytes_taken_ += static_cast<int64_t>(text.size());
  tokens_taken_ += static_cast<int64_t>(tokens->size());
  int64_t read = 0;
  // When the reading is stopped, the tokens stay in the session and wait.
  const Status status = session_->session().Append(*tokens, [&](const Progress& progress) {
    read = progress.done;
    return Report(tokens_read_ + read);
  });
  tokens_read_ += read;
  return status;
}

Status Indexer::Follow() {
  while (Report(tokens_read_)) {
    std::this_thread::sleep_for(kFollowPause);
    if (Status status = ReadSource(sources_.back(), /*partial_end=*/false); !status.ok()) return status;
    if (text_.text.empty()) continue;
    if (Status status = Commit(/*finished=*/true); !status.ok()) return status;
  }
  return {};
}

Status Indexer::Commit(bool finished) {
  const auto tokens = static_cast<int64_t>(session_->session().tokens().size());
  if (text_.text.empty() && writer_->record().generation == 0 && !finished) return {};
  const Result<std::vector<std::byte>> state = session_->Save(writer_->blocks(), finished);
  if (!state.ok()) return state.error();
  const Result<std::vector<SpanRow>> spans = NewSpans();
  if (!spans.ok()) return spans.error();
  DocumentStep step;
  step.session = *state;
  step.tokens = tokens;
  if (!text_.text.empty()) step.texts = {&text_, 1};
  step.sources = sources_;
  step.spans = *spans;
  step.finished = finished;
  if (Status status = writer_->Commit(step); !status.ok()) return status;
  text_ = {};
  for (const SpanRow& span : *spans) {
    int64_t& end = span_ends_[static_cast<size_t>(span.layer)];
    end = std::max(end, span.token_end);
  }
  bytes_->Forget(OpenToken());
  return {};
}

// The first token that may still become part of a new span.
int64_t Indexer::OpenToken() const {
  int64_t open = std::numeric_limits<int64_t>::max();
  for (size_t layer = 0; layer < span_ends_.size(); ++layer) {
    if (model_->info().full_attention[layer]) open = std::min(open, span_ends_[layer]);
  }
  return open;
}

Result<std::vector<SpanRow>> Indexer::NewSpans() {
  std::vector<SpanRow> rows;
  for (size_t layer = 0; layer < span_ends_.size(); ++layer) {
    for (const SpanInfo& span : session_->session().Spans(static_cast<int64_t>(layer))) {
      if (span.begin < span_ends_[layer]) continue;
      rows.push_back({static_cast<int64_t>(layer), span.begin, span.end, bytes_->At(span.begin), bytes_->At(span.end),
                      span.score, span.confidence});
    }
  }
  return rows;
}

// Whether to go on.
bool Indexer::Report(int64_t done) const {
  if (!progress_) return true;
  const double per_token =
      bytes_taken_ > 0 ? static_cast<double>(bytes_taken_) / static_cast<double>(tokens_taken_) : kGuessedBytesPerToken;
  const double open = static_cast<double>(std::max<int64_t>(0, bytes_left_ - bytes_taken_)) / per_token;
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start_;
  return progress_({done, tokens_taken_ + static_cast<int64_t>(open), seconds.count()});
}

// An empty line between what is there and the next file.
std::string Indexer::Separator() const {
  if (text_end_.empty() || text_end_ == "\n\n") return "";
  return text_end_.ends_with('\n') ? "\n" : "\n\n";
}

}  // namespace ltri
