// Contender: who takes turns in a bench: one method of ours, or llama.cpp.
//
// Thread safety: one caller at a time.
#ifndef LTRI_BENCH_CONTENDER_H_
#define LTRI_BENCH_CONTENDER_H_

#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "ltri/options.h"
#include "ltri/result.h"

namespace ltri {

// Asked between steps: true ends the turn with kCancelled.
using StopCheck = std::function<bool()>;

class Contender {
 public:
  virtual ~Contender() = default;

  virtual std::string name() const = 0;

  // Reads `text` into an empty memory until the logits after its last token are there. Returns seconds.
  virtual Result<double> Read(std::span<const TokenId> text) = 0;
  // The part of the last Read's time that went into finding spans.
  virtual double DetectionShare() const { return 0; }

  // Remembers `depth` tokens: the first of `text`, and behind them copies (see Method::Stretch). `room` tokens may
  // follow.
  virtual Status GoTo(std::span<const TokenId> text, int64_t depth, int64_t room) = 0;

  // Decodes `tokens` one by one behind that depth, each time from there anew. Returns the seconds of all but the first
  // token, which finds caches and threads as another contender left them.
  virtual Result<double> Decode(std::span<const TokenId> tokens) = 0;

  // Of the last Decode: bytes of keys and values that a token looks at; bytes that the sequence takes in memory.
  virtual int64_t BytesSeen() const = 0;
  virtual int64_t MemoryUsed() const = 0;

  // Forgets what GoTo remembered.
  virtual void Release() = 0;
};

}  // namespace ltri

#endif  // LTRI_BENCH_CONTENDER_H_
