// Any bytes as a model file: an error or a model, never a crash, and memory in proportion to the input.
#include <cstddef>
#include <cstdint>

#include "weights/gguf_file.h"
#include "weights/gguf_model.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto file = ltri::GgufFile::Parse({reinterpret_cast<const std::byte*>(data), size}, "fuzz.gguf", nullptr);
  if (!file) return 0;
  (void)file->Strings("tokenizer.ggml.tokens");
  (void)file->Text("tokenizer.chat_template");
  (void)ltri::LoadGguf(*file);
  return 0;
}
