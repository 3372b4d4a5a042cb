#include "serve/metrics.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/process_memory.h"

namespace ltri {
namespace {

constexpr std::array<const char*, kCacheSources> kSources = {"memory", "disk", "documents"};

std::string Head(const std::string& name, const std::string& help, const char* type) {
  return fmt::format("# HELP {0} {1}\n# TYPE {0} {2}\n", name, help, type);
}

std::string Counter(const std::string& name, const std::string& help, int64_t value) {
  return Head(name, help, "counter") + fmt::format("{} {}\n", name, value);
}

std::string Gauge(const std::string& name, const std::string& help, int64_t value) {
  return Head(name, help, "gauge") + fmt::format("{} {}\n", name, value);
}

}  // namespace

void Histogram::Observe(double value) {
  const auto bucket = std::lower_bound(bounds_.begin(), bounds_.end(), value) - bounds_.begin();
  const std::lock_guard<std::mutex> lock(mutex_);
  ++counts_[static_cast<size_t>(bucket)];
  ++count_;
  sum_ += value;
}

std::string Histogram::Text(const std::string& name, const std::string& help) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::string text = Head(name, help, "histogram");
  int64_t below = 0;
  for (size_t i = 0; i < bounds_.size(); ++i) {
    below += counts_[i];
    text += fmt::format("{}_bucket{{le=\"{}\"}} {}\n", name, bounds_[i], below);
  }
  return text + fmt::format("{0}_bucket{{le=\"+Inf\"}} {1}\n{0}_sum {2}\n{0}_count {1}\n", name, count_, sum_);
}

void Metrics::CountCached(CacheSource source, int64_t tokens) {
  ++cache_hits[static_cast<size_t>(source)];
  cached_tokens[static_cast<size_t>(source)] += tokens;
}

void Metrics::CountReply(const std::string& route, int status) {
  const std::lock_guard<std::mutex> lock(mutex_);
  ++replies_[{route, status}];
}

std::string Metrics::Text() const {
  std::string text;
  text += first_token.Text("ltri_first_token_seconds", "From a request's arrival to the first token of its answer");
  text += between_tokens.Text("ltri_between_tokens_seconds", "Between two tokens of one answer");
  text += queue_wait.Text("ltri_queue_seconds", "From a request's arrival to the beginning of its reading");
  text += step.Text("ltri_step_seconds", "One step of the model, with all that go along");
  text += Counter("ltri_prompt_tokens_total", "Tokens of prompts that were read", prompt_tokens);
  text += Counter("ltri_answer_tokens_total", "Tokens of answers", answer_tokens);
  text += Head("ltri_cached_tokens_total", "Tokens of prompts that were not read, by where they were", "counter");
  for (size_t i = 0; i < kCacheSources; ++i) {
    text += fmt::format("ltri_cached_tokens_total{{source=\"{}\"}} {}\n", kSources[i], cached_tokens[i].load());
  }
  text += Head("ltri_prompts_total", "Prompts by where their beginning was; none: all of it was read", "counter");
  for (size_t i = 0; i < kCacheSources; ++i) {
    text += fmt::format("ltri_prompts_total{{source=\"{}\"}} {}\n", kSources[i], cache_hits[i].load());
  }
  text += fmt::format("ltri_prompts_total{{source=\"none\"}} {}\n", cache_misses.load());
  text += spans.Text("ltri_spans", "Spans of a finished request's text, in all layers");
  text += top_vote.Text("ltri_top_vote_share", "The share of a request's votes that its most wanted place got");
  text += Head("ltri_requests_total", "Requests for answers by how they ended", "counter");
  const auto ended = [&](const char* how, int64_t count) {
    text += fmt::format("ltri_requests_total{{end=\"{}\"}} {}\n", how, count);
  };
  ended("finished", finished);
  ended("cancelled", cancelled);
  ended("failed", failed);
  ended("refused", refused);
  text += Gauge("ltri_queued_requests", "Requests that wait for their turn", queued);
  text += Gauge("ltri_reading_requests", "Requests whose prompts are being read", reading);
  text += Gauge("ltri_answering_requests", "Requests whose answers are growing", answering);
  text += Head("ltri_session_bytes", "Memory of the requests that are being served", "gauge") +
          fmt::format("ltri_session_bytes{{part=\"keys_and_values\"}} {}\nltri_session_bytes{{part=\"index\"}} {}\n",
                      key_value_bytes.load(), index_bytes.load());
  text += Head("ltri_tier_bytes", "Memory of all sessions by where it is", "gauge") +
          fmt::format("ltri_tier_bytes{{tier=\"ram\"}} {}\nltri_tier_bytes{{tier=\"disk\"}} {}\n", ram_bytes.load(),
                      disk_bytes.load());
  text += Gauge("ltri_prefix_cache_bytes", "Memory of the sessions that the prefix cache keeps", cache_bytes);
  text += Gauge("ltri_prefix_cache_sessions", "Sessions that the prefix cache keeps", cached_sessions);
  text += Gauge("ltri_peak_memory_bytes", "The most memory that the process has had", PeakMemory());
  text += Head("ltri_http_replies_total", "Replies by route and status", "counter");
  const std::lock_guard<std::mutex> lock(mutex_);
  for (const auto& [key, count] : replies_) {
    text += fmt::format("ltri_http_replies_total{{route=\"{}\",status=\"{}\"}} {}\n", key.first, key.second, count);
  }
  return text;
}

}  // namespace ltri
