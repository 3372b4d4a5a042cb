#include "cli/library_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <nlohmann/json.hpp>
#include <numeric>

#include "cli/command.h"

namespace ltri {
namespace {

std::string DateText(int64_t seconds) {
  const auto time = static_cast<std::time_t>(seconds);
  std::tm local{};
  localtime_r(&time, &local);
  std::array<char, 32> text{};
  return std::string(text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M", &local));
}

}  // namespace

nlohmann::ordered_json DocumentJson(const DocumentInfo& d) {
  nlohmann::ordered_json sources = nlohmann::ordered_json::array();
  for (const DocumentSource& source : d.sources) sources.push_back({{"path", source.path}, {"bytes", source.bytes}});
  return {{"name", d.name},
          {"fingerprint", d.fingerprint},
          {"model", d.model_path},
          {"method", d.method},
          {"sinks", d.sinks},
          {"window", d.window},
          {"budget", d.budget},
          {"block", d.block},
          {"plain", d.plain},
          {"created", d.created},
          {"updated", d.updated},
          {"commits", d.commits},
          {"tokens", d.tokens},
          {"text_bytes", d.text_bytes},
          {"stored_bytes", d.stored_bytes},
          {"finished", d.finished},
          {"sources", sources},
          {"spans", d.spans}};
}

nlohmann::ordered_json CitationJson(const Citation& c) {
  return {{"document", c.document}, {"file", c.file}, {"byte_begin", c.byte_begin},
          {"byte_end", c.byte_end}, {"text", c.text}, {"share", c.share}};
}

nlohmann::ordered_json DamageJson(const std::vector<LibraryDamage>& damage) {
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (const LibraryDamage& part : damage) json.push_back({{"document", part.document}, {"damage", part.what}});
  return json;
}

std::string DocumentText(const DocumentInfo& d) {
  std::string text = fmt::format("{}{}\n", d.name, d.finished ? "" : " (not finished)");
  text += fmt::format("  text     {} tokens, {}\n", d.tokens, SizeText(d.text_bytes));
  text += fmt::format("  on disk  {}, {} commits, the last at {}\n", SizeText(d.stored_bytes), d.commits,
                      DateText(d.updated));
  text += fmt::format("  model    {} ({})\n", d.model_path, d.fingerprint);
  text += fmt::format("  read by  {}, sinks {}, window {}, budget {}, block {}{}\n", d.method, d.sinks, d.window,
                      d.budget, d.block, d.plain ? ", without chat template" : "");
  const int64_t spans = std::accumulate(d.spans.begin(), d.spans.end(), int64_t{0});
  if (spans > 0) text += fmt::format("  spans    {} in {} layers\n", spans, d.spans.size());
  for (const DocumentSource& source : d.sources) {
    text += fmt::format("  from     {} ({})\n", source.path, SizeText(source.bytes));
  }
  return text;
}

std::string ListText(const std::vector<DocumentInfo>& documents) {
  size_t width = 4;
  for (const DocumentInfo& d : documents) width = std::max(width, d.name.size());
  std::string text = fmt::format("{:<{}}  {:>10}  {:>10}  {:<16}\n", "name", width, "tokens", "on disk", "last commit");
  for (const DocumentInfo& d : documents) {
    text += fmt::format("{:<{}}  {:>10}  {:>10}  {:<16}{}\n", d.name, width, d.tokens, SizeText(d.stored_bytes),
                        DateText(d.updated), d.finished ? "" : "  not finished");
  }
  return text;
}

std::string CitationsText(const std::vector<Citation>& citations) {
  std::string text;
  for (const Citation& c : citations) {
    text += fmt::format("\n[{:.0f}%] {}: {}, bytes {} to {}\n    {}\n", 100 * c.share, c.document, c.file, c.byte_begin,
                        c.byte_end, c.text);
  }
  return text;
}

std::string SizeText(int64_t bytes) {
  constexpr std::array kNames = {"bytes", "KiB", "MiB", "GiB", "TiB"};
  auto value = static_cast<double>(bytes);
  size_t unit = 0;
  for (; value >= 1024 && unit + 1 < kNames.size(); ++unit) value /= 1024;
  return unit == 0 ? fmt::format("{} bytes", bytes) : fmt::format("{:.1f} {}", value, kNames[unit]);
}

Status PrintJson(const nlohmann::ordered_json& json) {
  return Print(json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
}

}  // namespace ltri
