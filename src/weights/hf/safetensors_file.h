// SafetensorsFile: the tensors of one safetensors file, checked completely before anything is handed out.
//
// Layout: the header's length (u64), the header (JSON: name → dtype, shape, place in the data), the data. After Open
// every tensor is F32, F16 or BF16, lies inside the file and has as many bytes as its shape asks for; none share bytes.
// Memory is in proportion to the header, which is at most 32 MiB. Thread safety: immutable after Open.
#ifndef LTRI_WEIGHTS_HF_SAFETENSORS_FILE_H_
#define LTRI_WEIGHTS_HF_SAFETENSORS_FILE_H_

#include <cstddef>
#include <map>
#include <memory>
#include <span>
#include <string>

#include "ltri/result.h"
#include "weights/gguf_file.h"

namespace ltri {

class SafetensorsFile {
 public:
  // Errors: those of MappedFile::Open; kCorrupt or kUnsupported, naming tensor, field and value.
  static Result<SafetensorsFile> Open(const std::string& path);
  // The same over bytes that `storage` keeps alive (or the caller does, when null); `path` is used in messages.
  static Result<SafetensorsFile> Parse(std::span<const std::byte> bytes, std::string path,
                                       std::shared_ptr<const void> storage);

  const std::string& path() const { return path_; }
  int64_t bytes() const { return static_cast<int64_t>(bytes_.size()); }
  // By name, which the tensor's own name is a view of; shapes with the fastest dimension first. Data starts wherever
  // the header ends and need not be aligned.
  const std::map<std::string, GgufTensor, std::less<>>& tensors() const { return tensors_; }

 private:
  SafetensorsFile() = default;
  friend class SafetensorsParser;

  std::string path_;
  std::span<const std::byte> bytes_;
  std::shared_ptr<const void> storage_;
  std::map<std::string, GgufTensor, std::less<>> tensors_;
};

}  // namespace ltri

#endif  // LTRI_WEIGHTS_HF_SAFETENSORS_FILE_H_
