// Tiny random models as folders with safetensors files, of the same weights as tiny_gguf.h has.
#ifndef LTRI_TESTS_SUPPORT_TINY_FOLDER_H_
#define LTRI_TESTS_SUPPORT_TINY_FOLDER_H_

#include <cstddef>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "support/tiny_gguf.h"

namespace ltri::testing {

struct HfTensor {
  std::string dtype;           // "F32", ...
  std::vector<int64_t> shape;  // slowest dimension first
  std::vector<std::byte> data;
};

// What a folder is written from; tests may change it before.
struct TinyFolder {
  nlohmann::json config;
  std::map<std::string, HfTensor> tensors;
  int parts = 1;  // safetensors files
};

// The model as its makers would store it: rows of llama's queries and keys in halves, gemma's norms less one, separate
// queries, keys and values but for phi3.
TinyFolder MakeTinyFolder(const TinyModelSpec& spec, const std::string& gguf_path);

// Writes `directory`/`name`/... with the tokenizer of the GGUF file and returns the folder's path.
std::string WriteTinyFolder(const TinyFolder& folder, const std::string& directory, const std::string& name,
                            const std::string& gguf_path);

// The bytes of a safetensors file.
std::string SafetensorsBytes(const std::map<std::string, HfTensor>& tensors);

}  // namespace ltri::testing

#endif  // LTRI_TESTS_SUPPORT_TINY_FOLDER_H_
