// Metrics: what the server counts, in the text form that Prometheus reads.
//
// Thread-safe.
#ifndef LTRI_SERVE_METRICS_H_
#define LTRI_SERVE_METRICS_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace ltri {

// Where the beginning of a prompt came from that was not read.
enum class CacheSource { kMemory, kDisk, kDocuments };
constexpr size_t kCacheSources = 3;

// Observations by upper bounds.
class Histogram {
 public:
  explicit Histogram(std::vector<double> bounds) : bounds_(std::move(bounds)), counts_(bounds_.size() + 1) {}

  void Observe(double value);
  // Lines of Prometheus' text form.
  std::string Text(const std::string& name, const std::string& help) const;

 private:
  const std::vector<double> bounds_;  // ascending
  mutable std::mutex mutex_;
  std::vector<int64_t> counts_;  // [bounds + 1], the last one above all bounds
  int64_t count_ = 0;
  double sum_ = 0;
};

struct Metrics {
  // Seconds.
  Histogram first_token{{0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1200}};
  Histogram between_tokens{{0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5}};
  Histogram queue_wait{{0.001, 0.01, 0.1, 0.5, 1, 5, 15, 60, 300}};
  Histogram spans{{100, 1000, 10000, 100000, 1000000}};      // of a request's text, in all layers
  Histogram top_vote{{0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1}};  // the share that went to the most wanted place
  Histogram step{{0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5}};

  std::atomic<int64_t> prompt_tokens = 0;                           // read by the model
  std::array<std::atomic<int64_t>, kCacheSources> cached_tokens{};  // of prompts, not read
  std::atomic<int64_t> answer_tokens = 0;
  std::array<std::atomic<int64_t>, kCacheSources> cache_hits{};
  std::atomic<int64_t> cache_misses = 0;
  std::atomic<int64_t> finished = 0;
  std::atomic<int64_t> cancelled = 0;
  std::atomic<int64_t> failed = 0;
  std::atomic<int64_t> refused = 0;  // the queue was full

  // As they are now.
  std::atomic<int64_t> queued = 0;
  std::atomic<int64_t> reading = 0;
  std::atomic<int64_t> answering = 0;
  std::atomic<int64_t> key_value_bytes = 0;  // of requests that are being served
  std::atomic<int64_t> index_bytes = 0;
  std::atomic<int64_t> cache_bytes = 0;
  std::atomic<int64_t> cached_sessions = 0;
  std::atomic<int64_t> ram_bytes = 0;  // of all sessions, those of the cache included
  std::atomic<int64_t> disk_bytes = 0;

  void CountCached(CacheSource source, int64_t tokens);
  void CountReply(const std::string& route, int status);

  std::string Text() const;

 private:
  mutable std::mutex mutex_;
  std::map<std::pair<std::string, int>, int64_t> replies_;  // by route and status
};

}  // namespace ltri

#endif  // LTRI_SERVE_METRICS_H_
