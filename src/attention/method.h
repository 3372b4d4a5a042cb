// Method: how a sequence's past is kept and what of it each query sees. dense, streaming, infllm and ltri are methods.
//
// One conformance suite (tests/conformance) runs over all of them. To add one: derive, and add a line to registry.cc.
#ifndef LTRI_ATTENTION_METHOD_H_
#define LTRI_ATTENTION_METHOD_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "ltri/options.h"
#include "ltri/session.h"
#include "model/attention_memory.h"
#include "model/rope_tables.h"
#include "spans/span.h"
#include "weights/model_config.h"

namespace ltri {

// What methods need to know of the model. Both outlive the method.
struct MethodContext {
  const ModelConfig* config = nullptr;
  RopeTables* ropes = nullptr;
};

class Method : public AttentionMemory {
 public:
  // Tokens remembered, those dropped included.
  virtual int64_t size() const = 0;

  // Whether the step that reads [size(), end) of a prompt would see everything before it.
  virtual bool ReadsDensely(int64_t end) const = 0;

  // How many tokens at the end of a prompt that was not read densely should be read twice.
  virtual int64_t SecondReading() const { return 0; }

  // Forgets tokens >= `tokens`. Returns false, and forgets nothing, when something before `tokens` that is needed to
  // go on was dropped already; the caller then reads the text again.
  virtual bool Truncate(int64_t tokens) = 0;

  // An independent copy; keys and values are shared until one of the two writes.
  virtual std::unique_ptr<Method> Fork() const = 0;

  // For benches: the text becomes `tokens` long, as if what is remembered had been read again and again. size() > 0.
  virtual void Stretch(ThreadPool& pool, int64_t tokens) = 0;

  // What the last query of the last step could see in `layer` through query head `head`: ascending, disjoint.
  virtual std::vector<TokenRange> Visible(int64_t layer, int64_t head) const = 0;

  // The spans of `layer` that are cut so far; empty for methods without spans.
  virtual std::vector<Span> Spans(int64_t layer) const = 0;

  virtual MemoryUse memory() const = 0;

  // See Session::RecordBand.
  virtual bool RecordBand(int64_t /*layer*/, TokenRange /*tokens*/) { return false; }
  virtual const BandRecord& band() const {
    static const BandRecord none;
    return none;
  }
};

}  // namespace ltri

#endif  // LTRI_ATTENTION_METHOD_H_
