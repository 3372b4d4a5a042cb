#include "cli/inspect_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "attention/registry.h"
#include "attention/voting.h"
#include "weights/ggml_types.h"

namespace ltri {
namespace {

constexpr double kMega = 1e6;

int64_t Values(const GgufTensor& tensor) {
  return tensor.shape[0] * tensor.shape[1] * tensor.shape[2] * tensor.shape[3];
}

TokenizerSummary SummarizeTokenizer(const GgufFile& file) {
  TokenizerSummary summary;
  if (auto kind = file.Text("tokenizer.ggml.model"); kind) summary.kind = std::move(*kind);
  if (auto pre = file.Text("tokenizer.ggml.pre"); pre) summary.pre = std::move(*pre);
  const auto tokens = file.Strings("tokenizer.ggml.tokens");
  if (tokens) summary.tokens = static_cast<int64_t>(tokens->size());
  for (const char* role : {"bos", "eos", "eot", "unknown", "padding", "seperator", "separator"}) {
    const auto id = file.Integer(fmt::format("tokenizer.ggml.{}_token_id", role));
    if (!id) continue;
    const bool known = *id >= 0 && *id < summary.tokens;
    // "seperator" is how the format spells it.
    const std::string name = role == std::string_view("seperator") ? "separator" : role;
    summary.special.push_back({name, *id, known ? std::string((*tokens)[static_cast<size_t>(*id)]) : ""});
  }
  if (const auto chat = file.Text("tokenizer.chat_template"); chat) {
    summary.chat_template_bytes = static_cast<int64_t>(chat->size());
  }
  return summary;
}

std::string RopeText(const RopeConfig& rope, int64_t head_dim) {
  std::string text = fmt::format("base {:g}, {} of {} dimensions, {} pairs", rope.base, rope.dims, head_dim,
                                 rope.pairs == RopePairs::kAdjacent ? "adjacent" : "half-apart");
  if (rope.yarn_ext_factor != 0.0F) text += fmt::format(", YaRN from {} tokens", rope.original_context);
  if (rope.scale != 1.0F) text += fmt::format(", stretched {:g} times", 1.0F / rope.scale);
  if (!rope.long_factors.empty()) {
    text += fmt::format(", longrope beyond {} tokens", rope.original_context);
  } else if (!rope.factors.empty()) {
    text += ", a factor for each frequency";
  }
  return text;
}

std::string Line(const char* label, const std::string& text) { return fmt::format("{:<18}{}\n", label, text); }

std::string ModelLines(const ModelConfig& c) {
  std::string out = Line("name", c.name.empty() ? "(none)" : Quoted(c.name));
  out += Line("architecture", c.architecture);
  out += Line("layers", fmt::format("{}", c.layers));
  out += Line("width", fmt::format("{}, feed-forward {}", c.width, c.feed_forward));
  out += Line("attention", fmt::format("{} query heads, {} KV heads, {} values each", c.heads, c.kv_heads, c.head_dim));
  out += Line("trained context", fmt::format("{} tokens", c.trained_context));
  out += Line("rope", RopeText(c.rope, c.head_dim));
  if (c.sliding_window > 0) {
    out +=
        Line("sliding window", fmt::format("{} tokens; rope {}", c.sliding_window, RopeText(c.local_rope, c.head_dim)));
  }
  return out;
}

std::string VoterLines(const InspectReport& report) {
  if (!report.voters.known) return Line("retrieval heads", "not known, so all vote; `ltri head-profile` finds them");
  const ModelConfig& c = report.config;
  return Line("retrieval heads", fmt::format("{} of {} vote, {} of {} KV heads are indexed", report.voters.heads,
                                             c.layers * c.heads, report.voters.index_heads, c.layers * c.kv_heads));
}

std::string TokenizerLines(const TokenizerSummary& t) {
  if (t.kind.empty()) return Line("tokenizer", "none in this file");
  std::string out = Line("tokenizer", fmt::format("{}{}, {} tokens", Plain(t.kind),
                                                  t.pre.empty() ? "" : " (" + Plain(t.pre) + ")", t.tokens));
  for (const SpecialToken& token : t.special) {
    out += Line("", fmt::format("{:<10}{:>7}  {}", token.role, token.id, Quoted(token.text)));
  }
  out += Line("chat template",
              t.chat_template_bytes > 0 ? fmt::format("yes, {} bytes", t.chat_template_bytes) : std::string("no"));
  return out;
}

std::string CostLines(const SessionCost& cost, const ModelConfig& config) {
  std::string out = Line("session", fmt::format("{} bytes a token for keys and values in 16 bits ({} layers)",
                                                cost.bytes_per_token, cost.full_layers));
  out += Line("", fmt::format("{:.0f} bytes a token for the index (8 bits, {} vectors for every {:g} tokens)",
                              cost.index_bytes_per_token, kVectorsPerSpan, kTokensPerSpan));
  if (cost.sliding_layers > 0) {
    out += Line("", fmt::format("{} bytes whatever the length for {} sliding-window layers", cost.sliding_bytes,
                                cost.sliding_layers));
  }
  const double per_token = static_cast<double>(cost.bytes_per_token) + cost.index_bytes_per_token;
  const double context = static_cast<double>(config.trained_context);
  out += Line(
      "", fmt::format("{:.1f} MB at the trained context of {} tokens",
                      (per_token * context + static_cast<double>(cost.sliding_bytes)) / kMega, config.trained_context));
  return out;
}

std::string TensorLines(const InspectReport& report, bool all) {
  std::string out = Line(
      "tensors",
      fmt::format("{} tensors, {:.1f} M values, {:.1f} MB in {} of {:.1f} MB", report.total.tensors,
                  static_cast<double>(report.total.values) / kMega, static_cast<double>(report.total.bytes) / kMega,
                  report.file->is_gguf() ? "a file" : "files", static_cast<double>(report.file->bytes()) / kMega));
  for (const auto& [name, summary] : report.types) {
    out += Line("", fmt::format("{:<10}{:>7} tensors {:>14} bytes", name, summary.tensors, summary.bytes));
  }
  if (!all) return out;
  out += "\n";
  for (const GgufTensor& tensor : report.file->tensors()) {
    out += fmt::format("{:<40} {:<10}{:<20}{:>14} bytes\n", Plain(tensor.name), TypeName(tensor.type),
                       tensor.ShapeText(), tensor.bytes);
  }
  return out;
}

nlohmann::json RopeJson(const RopeConfig& rope) {
  return {{"dimensions", rope.dims},
          {"pairs", rope.pairs == RopePairs::kAdjacent ? "adjacent" : "halves"},
          {"base", rope.base},
          {"scale", rope.scale},
          {"magnitude", rope.magnitude},
          {"yarn", rope.yarn_ext_factor != 0.0F},
          {"original_context", rope.original_context},
          {"factors", rope.factors},
          {"long_factors", rope.long_factors}};
}

nlohmann::json TokenizerJson(const TokenizerSummary& tokenizer) {
  nlohmann::json special = nlohmann::json::object();
  for (const SpecialToken& token : tokenizer.special) special[token.role] = {{"id", token.id}, {"text", token.text}};
  return {{"kind", tokenizer.kind},
          {"pre", tokenizer.pre},
          {"tokens", tokenizer.tokens},
          {"special", special},
          {"chat_template", tokenizer.chat_template_bytes > 0}};
}

// As a session with default options has them.
VoterSummary SummarizeVoters(const ModelConfig& config, const std::vector<float>& head_table) {
  VoterSummary summary;
  summary.known = !head_table.empty();
  const std::vector<uint8_t> voters = ChooseVoters(Complete(SessionOptions{}, head_table));
  const int64_t group = config.heads / config.kv_heads;
  for (int64_t i = 0; i < config.layers * config.kv_heads; ++i) {
    if (config.IsSliding(i / config.kv_heads)) continue;
    int64_t heads = group;
    if (!voters.empty()) heads = std::count(voters.begin() + i * group, voters.begin() + (i + 1) * group, uint8_t{1});
    summary.heads += heads;
    summary.index_heads += heads > 0 ? 1 : 0;
  }
  return summary;
}

}  // namespace

InspectReport MakeInspectReport(const GgufFile& file, const ModelConfig& config, const std::vector<float>& head_table) {
  InspectReport report;
  report.file = &file;
  report.config = config;
  report.voters = SummarizeVoters(config, head_table);
  report.cost = CostOfSession(config, report.voters.index_heads);
  report.tokenizer = SummarizeTokenizer(file);
  for (const GgufTensor& tensor : file.tensors()) {
    for (TypeSummary* summary : {&report.types[TypeName(tensor.type)], &report.total}) {
      summary->tensors += 1;
      summary->values += Values(tensor);
      summary->bytes += tensor.bytes;
    }
  }
  return report;
}

std::string FormatText(const InspectReport& report, bool tensors) {
  return Line("file", report.file->path()) + ModelLines(report.config) + VoterLines(report) +
         TokenizerLines(report.tokenizer) + CostLines(report.cost, report.config) + TensorLines(report, tensors);
}

std::string FormatJson(const InspectReport& report, bool tensors) {
  const ModelConfig& c = report.config;
  nlohmann::json json = {{"file", report.file->path()},
                         {"file_bytes", report.file->bytes()},
                         {"name", c.name},
                         {"architecture", c.architecture},
                         {"layers", c.layers},
                         {"width", c.width},
                         {"feed_forward", c.feed_forward},
                         {"heads", c.heads},
                         {"kv_heads", c.kv_heads},
                         {"head_dim", c.head_dim},
                         {"vocabulary", c.vocabulary},
                         {"trained_context", c.trained_context},
                         {"rope", RopeJson(c.rope)},
                         {"tokenizer", TokenizerJson(report.tokenizer)},
                         {"tensor_count", report.total.tensors},
                         {"tensor_values", report.total.values},
                         {"tensor_bytes", report.total.bytes}};
  json["retrieval_heads"] = report.voters.known ? nlohmann::json(report.voters.heads) : nlohmann::json();
  json["session"] = {{"bytes_per_token", report.cost.bytes_per_token},
                     {"index_bytes_per_token", report.cost.index_bytes_per_token},
                     {"full_layers", report.cost.full_layers},
                     {"sliding_layers", report.cost.sliding_layers},
                     {"sliding_bytes", report.cost.sliding_bytes}};
  if (c.sliding_window > 0) {
    json["sliding_window"] = c.sliding_window;
    json["is_sliding"] = c.is_sliding;
    json["local_rope"] = RopeJson(c.local_rope);
  }
  for (const auto& [name, summary] : report.types) {
    json["types"][name] = {{"tensors", summary.tensors}, {"values", summary.values}, {"bytes", summary.bytes}};
  }
  if (tensors) {
    for (const GgufTensor& tensor : report.file->tensors()) {
      const std::vector<int64_t> shape(tensor.shape.begin(), tensor.shape.begin() + tensor.dims);
      json["tensors"].push_back(
          {{"name", tensor.name}, {"type", TypeName(tensor.type)}, {"shape", shape}, {"bytes", tensor.bytes}});
    }
  }
  // Names come from the file and need not be UTF-8.
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace ltri
