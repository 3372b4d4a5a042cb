// llama.cpp as a contender: its own settings for speed, the same tokens, logits only after the last one.
#ifndef LTRI_BENCH_LLAMA_PEER_H_
#define LTRI_BENCH_LLAMA_PEER_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace ltri::bench {

// Flash attention on, 16-bit keys and values, blocks of 512, weights repacked as llama.cpp likes them.
class LlamaPeer {
 public:
  // `context`: tokens of the longest sequence. Throws std::runtime_error when the file cannot be loaded.
  LlamaPeer(const std::string& path, int64_t context, int threads);
  ~LlamaPeer();
  LlamaPeer(const LlamaPeer&) = delete;
  LlamaPeer& operator=(const LlamaPeer&) = delete;

  // Forgets the sequence.
  void Begin();
  // Appends tokens; the logits after the last one are ready on return.
  void Read(std::span<const int32_t> tokens);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ltri::bench

#endif  // LTRI_BENCH_LLAMA_PEER_H_
