#include "serve/prefix_cache.h"

#include <algorithm>
#include <utility>

#include "engine/options_state.h"

namespace ltri {
namespace {

std::string Settings(const SessionOptions& options) {
  StateWriter writer;
  PutOptions(options, &writer);
  const std::vector<std::byte> bytes = writer.Take();
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

int64_t Common(std::span<const TokenId> a, std::span<const TokenId> b) {
  return std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin();
}

int64_t Bytes(const Session::Impl& session) {
  const MemoryUse use = session.method().memory();
  return use.total() + use.on_disk;
}

}  // namespace

PrefixCache::Found PrefixCache::Take(const SessionOptions& options, std::span<const TokenId> prompt) {
  const std::string settings = Settings(options);
  auto best = entries_.end();
  int64_t most = kLeastReuse - 1;
  for (auto entry = entries_.begin(); entry != entries_.end(); ++entry) {
    if (entry->settings != settings) continue;
    const int64_t common = std::min(Common(entry->session->tokens(), prompt), static_cast<int64_t>(prompt.size()) - 1);
    if (common <= most) continue;
    most = common;
    best = entry;
  }
  if (best == entries_.end()) return {};
  Result<std::unique_ptr<Session::Impl>> copy = best->session->Fork();
  if (!copy.ok() || !(*copy)->Truncate(most).ok()) return {};
  entries_.splice(entries_.begin(), entries_, best);
  // A method that cannot go back that far has forgotten all, which is of no use.
  if ((*copy)->read() == 0) return {};
  return {std::move(*copy), best->source};
}

void PrefixCache::Keep(std::unique_ptr<Session::Impl> session, CacheSource source) {
  const auto size = static_cast<int64_t>(session->tokens().size());
  const std::string settings = Settings(session->options());
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    const auto next = std::next(entry);
    const auto held = static_cast<int64_t>(entry->session->tokens().size());
    const int64_t common = Common(entry->session->tokens(), session->tokens());
    if (entry->settings == settings && common == size && held >= size) return;  // is there already
    if (entry->settings == settings && common == held) Drop(entry);             // goes on from it
    entry = next;
  }
  if (size < kLeastReuse || Bytes(*session) > budget_) return;
  entries_.push_front({settings, std::move(session), source, 0});
  Weigh();
  while (bytes_ > budget_) Drop(std::prev(entries_.end()));
}

void PrefixCache::Weigh() {
  bytes_ = 0;
  for (Entry& entry : entries_) {
    entry.bytes = Bytes(*entry.session);
    bytes_ += entry.bytes;
  }
}

std::vector<Session::Impl*> PrefixCache::sessions() {
  std::vector<Session::Impl*> all;
  for (Entry& entry : entries_) all.push_back(entry.session.get());
  return all;
}

void PrefixCache::Drop(std::list<Entry>::iterator entry) {
  bytes_ -= entry->bytes;
  entries_.erase(entry);
}

}  // namespace ltri
