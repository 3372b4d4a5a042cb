#include "cli/prompt.h"

#include "cli/command.h"

namespace ltri {

Result<bool> HasChatTemplate(const Model& model) {
  const std::vector<ChatMessage> probe = {{"user", "?"}};
  const Result<std::string> formatted = model.FormatChat(probe);
  if (formatted.ok()) return true;
  if (formatted.error().code == ErrorCode::kUnsupported) return false;
  return formatted.error();
}

Result<std::vector<TokenId>> TokenizeTurn(const Model& model, const std::string& formatted, std::string_view content,
                                          bool begin) {
  Result<std::vector<TokenId>> whole = model.Tokenize(formatted, begin, /*control=*/true);
  const Result<std::vector<TokenId>> plain = model.Tokenize(content, false, /*control=*/false);
  const Result<std::vector<TokenId>> control = model.Tokenize(content, false, /*control=*/true);
  const size_t at = formatted.rfind(content);
  if (!whole.ok() || !plain.ok() || !control.ok() || *plain == *control || at == std::string::npos) return whole;
  // The words hold a control token's name: what stands around them is read apart.
  Result<std::vector<TokenId>> tokens = model.Tokenize(formatted.substr(0, at), begin, true);
  if (!tokens.ok()) return tokens.error();
  const Result<std::vector<TokenId>> back = model.Tokenize(formatted.substr(at + content.size()), false, true);
  if (!back.ok()) return back.error();
  tokens->insert(tokens->end(), plain->begin(), plain->end());
  tokens->insert(tokens->end(), back->begin(), back->end());
  return tokens;
}

std::string Trimmed(std::string_view text) {
  constexpr std::string_view kWhite = " \t\r\n";
  const size_t first = text.find_first_not_of(kWhite);
  if (first == std::string_view::npos) return "";
  return std::string(text.substr(first, text.find_last_not_of(kWhite) - first + 1));
}

Status ReadPrompt(Session& session, std::span<const TokenId> tokens, ProgressLine& line) {
  const auto total = static_cast<int64_t>(tokens.size());
  Progress before;
  Progress now;
  const auto watch = [&](const Progress& step) {
    now = {before.done + step.done, total, before.seconds + step.seconds};
    line.Show("reading", now);
    return !Interrupt::Requested();
  };
  if (Status status = session.Append(tokens, watch); !status.ok()) return status;
  before = now;
  return session.FinishPrompt(watch);
}

}  // namespace ltri
