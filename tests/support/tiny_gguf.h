// Tiny random models as GGUF files, one for each architecture and variant, that libllama loads and runs too.
#ifndef LTRI_TESTS_SUPPORT_TINY_GGUF_H_
#define LTRI_TESTS_SUPPORT_TINY_GGUF_H_

#include <cstdint>
#include <functional>
#include <ostream>
#include <string>
#include <vector>

struct ggml_tensor;
struct gguf_context;

namespace ltri::testing {

enum class TinyRope { kPlain, kFactors, kLinear, kYarn, kLong };

struct TinyModelSpec {
  std::string name = "llama";  // of the file, without ".gguf"
  std::string architecture = "llama";
  int64_t layers = 3;
  int64_t width = 64;
  int64_t heads = 4;
  int64_t kv_heads = 2;
  int64_t head_dim = 16;
  int64_t feed_forward = 96;
  int64_t vocabulary = 300;  // at least 290: all bytes, a few merges, special tokens
  int64_t context = 2048;    // trained, tokens
  TinyRope rope = TinyRope::kPlain;
  int64_t rope_dims = 0;           // 0: head_dim
  int64_t original_context = 128;  // tokens; kFactors, kYarn and kLong
  int64_t sliding_window = 0;      // tokens; gemma3
  bool tied = false;               // no output matrix of its own
  bool fused_qkv = false;
  bool qkv_bias = false;
  bool output_projection_bias = false;
  float logit_softcap = 0.0F;
  bool tokenizer = true;        // without one a file is smaller, and nothing but our loader reads it
  bool sentence_piece = false;  // "llama" tokenizer instead of "gpt2"
  int type = 0;                 // ggml_type of all matrices; rows must be whole blocks
  uint64_t seed = 1;
};

// Shows the name where a test parameter is printed.
inline std::ostream& operator<<(std::ostream& out, const TinyModelSpec& spec) { return out << spec.name; }

// Writes `directory`/`spec.name`.gguf and returns its path. The same specification gives the same bytes.
// `edit`, when given, may change values before the file is written.
std::string WriteTinyGguf(const TinyModelSpec& spec, const std::string& directory,
                          const std::function<void(gguf_context*)>& edit = {});

// The tensor's values as floats, as WriteTinyGguf made them before any quantisation: [rows * cols].
// gguf names: "blk.0.attn_q.weight", ...
std::vector<float> TinyTensorValues(const TinyModelSpec& spec, const std::string& tensor, int64_t rows, int64_t cols);

// Every architecture and variant with F32 weights.
std::vector<TinyModelSpec> AllTinySpecs();

// The one of AllTinySpecs with this name; aborts when there is none.
TinyModelSpec TinySpec(const std::string& name);

}  // namespace ltri::testing

#endif  // LTRI_TESTS_SUPPORT_TINY_GGUF_H_
