// Method: how a sequence's past is kept and what of it each query sees. dense, streaming, infllm and ltri are methods.
//
// One conformance suite (tests/conformance) runs over all of them. To add one: derive, and add a line to registry.cc.
#ifndef LTRI_ATTENTION_METHOD_H_
#define LTRI_ATTENTION_METHOD_H_

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/serial.h"
#include "ltri/options.h"
#include "ltri/session.h"
#include "memory/tier.h"
#include "model/attention_memory.h"
#include "model/rope_tables.h"
#include "spans/span.h"
#include "weights/model_config.h"

namespace ltri {

// What methods need to know of the model. config and ropes outlive the method.
struct MethodContext {
  const ModelConfig* config = nullptr;
  RopeTables* ropes = nullptr;
  std::shared_ptr<Tier> tier;  // where blocks of keys and values are; null: RAM without a limit
};

// How much of what the heads asked for since the last prompt began went to tokens [begin, end) of the text.
struct RecallShare {
  int64_t begin = 0;
  int64_t end = 0;
  double share = 0;  // of 1
};

class Method : public AttentionMemory {
 public:
  // Tokens remembered, those dropped included.
  virtual int64_t size() const = 0;

  // Whether a token behind `tokens` of them, not one of a prompt, would see them all.
  virtual bool SeesAll(int64_t tokens) const = 0;

  // How many tokens at the end of a prompt should be read again, with what the answer will see, unless that is all.
  virtual int64_t SecondReading() const { return 0; }

  // Forgets tokens >= `tokens`. Returns false, and forgets nothing, when something before `tokens` that is needed to
  // go on was dropped already; the caller then reads the text again.
  virtual bool Truncate(int64_t tokens) = 0;

  // What is big goes to `file` as blocks, unless it is there already; the rest into the state. One Save at a time.
  virtual Status Save(const std::shared_ptr<BlockFile>& file, StateWriter* state) = 0;
  // What Save wrote, for a method like this one, which remembers nothing yet. Blocks are read when they are needed.
  virtual Status Restore(const std::shared_ptr<BlockFile>& file, StateReader* state) = 0;

  // The text is over: what waits for more of it is done now, so that it can be joined. Nothing may follow.
  virtual Status Finish(ThreadPool& /*pool*/) { return {}; }
  // Remembers what `texts`, finished methods like this one, do, one behind the other; this one remembers nothing yet.
  // Returns where each is from now on. Error kUnsupported where a method has no way to place them.
  virtual Result<std::vector<TokenRange>> Join(ThreadPool& pool, std::span<Method* const> texts);

  // Which parts of the text were asked for, most first; empty for methods that ask for nothing.
  virtual std::vector<RecallShare> Recalled() const { return {}; }

  // An independent copy; keys and values are shared until one of the two writes.
  virtual std::unique_ptr<Method> Fork() const = 0;

  // For benches: the text becomes `tokens` long, as if what is remembered had been read again and again. size() > 0.
  virtual Status Stretch(ThreadPool& pool, int64_t tokens) = 0;

  // What the last query of the last step could see in `layer` through query head `head`: ascending, disjoint.
  virtual std::vector<TokenRange> Visible(int64_t layer, int64_t head) const = 0;

  // The spans of `layer` that are cut so far; empty for methods without spans.
  virtual std::vector<Span> Spans(int64_t layer) const = 0;

  virtual MemoryUse memory() const = 0;

  // Seconds that all threads together have been finding spans in; forks go on counting.
  virtual double detection_seconds() const { return 0; }

  // See Session::RecordBand.
  virtual bool RecordBand(int64_t /*layer*/, TokenRange /*tokens*/) { return false; }
  virtual const BandRecord& band() const {
    static const BandRecord none;
    return none;
  }
};

}  // namespace ltri

#endif  // LTRI_ATTENTION_METHOD_H_
