// PrefixCache: sessions of finished requests, for requests whose prompts begin with the same tokens.
//
// Not thread-safe: the scheduler's thread only.
#ifndef LTRI_SERVE_PREFIX_CACHE_H_
#define LTRI_SERVE_PREFIX_CACHE_H_

#include <cstdint>
#include <list>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/session_impl.h"
#include "serve/metrics.h"

namespace ltri {

class PrefixCache {
 public:
  static constexpr int64_t kLeastReuse = 32;  // tokens; less is read as fast as it is brought back

  // budget: bytes of keys, values and index, in RAM or on disk. What sessions share counts for each.
  explicit PrefixCache(int64_t budget) : budget_(budget) {}

  struct Found {
    std::unique_ptr<Session::Impl> session;  // null: there is none
    CacheSource source = CacheSource::kMemory;
  };
  // A session that was read under the same settings and holds the longest beginning of `prompt`, and nothing else. At
  // least the last token is left to be read.
  Found Take(const SessionOptions& options, std::span<const TokenId> prompt);

  // Keeps a session; those longest unused go when the budget is exceeded. source: where its blocks are.
  void Keep(std::unique_ptr<Session::Impl> session, CacheSource source = CacheSource::kMemory);

  int64_t bytes() const { return bytes_; }
  int64_t count() const { return static_cast<int64_t>(entries_.size()); }

  // The one used last comes first.
  std::vector<Session::Impl*> sessions();

 private:
  struct Entry {
    std::string settings;  // the session's options, as bytes
    std::unique_ptr<Session::Impl> session;
    CacheSource source;
    int64_t bytes;  // when it was looked at last
  };

  void Drop(std::list<Entry>::iterator entry);
  void Weigh();

  int64_t budget_;
  int64_t bytes_ = 0;
  std::list<Entry> entries_;  // the one used last first
};

}  // namespace ltri

#endif  // LTRI_SERVE_PREFIX_CACHE_H_
