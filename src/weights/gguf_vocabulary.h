// Whether a file's vocabulary can be given to llama.cpp, which ends the process over what it takes for impossible.
#ifndef LTRI_WEIGHTS_GGUF_VOCABULARY_H_
#define LTRI_WEIGHTS_GGUF_VOCABULARY_H_

#include "ltri/result.h"
#include "weights/gguf_file.h"

namespace ltri {

// Error kCorrupt: two entries of tokenizer.ggml.tokens have the same text. A file without a vocabulary passes.
Status CheckVocabulary(const GgufFile& file);

}  // namespace ltri

#endif  // LTRI_WEIGHTS_GGUF_VOCABULARY_H_
