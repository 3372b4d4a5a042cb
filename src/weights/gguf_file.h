// GgufFile: the metadata and the tensor table of one GGUF file, checked completely before anything is handed out.
//
// A model of another format is presented as the GGUF file that its conversion would be (Assemble): values from a header
// made for it, tensors where they lie. Whatever reads models then reads both.
//
// Our own reader, since files come from anywhere: it never aborts and allocates in proportion to the file's header.
// After Open every tensor lies inside the file, has a type that ggml can read, and a size without overflow.
// Thread safety: immutable after Open.
#ifndef LTRI_WEIGHTS_GGUF_FILE_H_
#define LTRI_WEIGHTS_GGUF_FILE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "ltri/result.h"

namespace ltri {

// The numbers are the format's.
enum class GgufType : uint32_t {
  kU8 = 0,
  kI8 = 1,
  kU16 = 2,
  kI16 = 3,
  kU32 = 4,
  kI32 = 5,
  kF32 = 6,
  kBool = 7,
  kString = 8,
  kArray = 9,
  kU64 = 10,
  kI64 = 11,
  kF64 = 12,
};

const char* GgufTypeName(GgufType type);

// One metadata value, as it lies in the file. An array has `count` elements of `element`; anything else has one.
struct GgufValue {
  GgufType type = GgufType::kU8;
  GgufType element = GgufType::kU8;
  uint64_t count = 1;
  const std::byte* data = nullptr;
};

struct GgufTensor {
  std::string_view name;
  std::array<int64_t, 4> shape = {1, 1, 1, 1};  // fastest dimension first: {columns, rows, 1, 1} for a matrix
  int dims = 0;
  int type = 0;  // ggml_type
  int64_t bytes = 0;
  const std::byte* data = nullptr;

  std::string ShapeText() const;  // "[64, 300]"
};

class GgufFile {
 public:
  // Errors: those of MappedFile::Open; kCorrupt or kUnsupported, naming field and value.
  static Result<GgufFile> Open(const std::string& path);
  // The same over bytes that `storage` keeps alive (or the caller does, when null); `path` is used in messages.
  static Result<GgufFile> Parse(std::span<const std::byte> bytes, std::string path,
                                std::shared_ptr<const void> storage);

  struct Parts {
    std::span<const std::byte> header;  // a GGUF file without tensors
    std::vector<GgufTensor> tensors;    // checked; their names and data lie elsewhere
    int64_t bytes = 0;                  // of the model's own files
    // Values and tensors, those that are missing too → what a person finds them as in the model's own files.
    std::unordered_map<std::string, std::string> names;
  };
  // `storage` keeps alive what the parts point to. Errors: those of Parse, kCorrupt for a tensor that appears twice.
  static Result<GgufFile> Assemble(Parts parts, std::string path, std::shared_ptr<const void> storage);

  const std::string& path() const { return path_; }
  int64_t bytes() const { return size_; }
  // False: made by Assemble.
  bool is_gguf() const { return is_gguf_; }
  // All before the first tensor's data: values and, in a GGUF file, the tensor table.
  std::span<const std::byte> header() const;
  const std::vector<GgufTensor>& tensors() const { return tensors_; }
  std::shared_ptr<const void> storage() const { return storage_; }

  const GgufTensor* FindTensor(std::string_view name) const;           // null when there is none
  const GgufValue* FindValue(std::string_view key) const;              // null when there is none
  const std::vector<std::string_view>& keys() const { return keys_; }  // in file order
  // How the model's own files call this value or tensor, for messages.
  std::string Called(const std::string& name) const;

  // One value, or one element of an array. kNotFound when the key is missing, kCorrupt when it has another type or
  // the element does not exist. Integers of any width are accepted as Integer, and any number as Number.
  Result<int64_t> Integer(std::string_view key, uint64_t index = 0) const;
  Result<double> Number(std::string_view key, uint64_t index = 0) const;
  Result<bool> Bool(std::string_view key, uint64_t index = 0) const;
  Result<std::string> Text(std::string_view key) const;
  // Views into the file, one for each element.
  Result<std::vector<std::string_view>> Strings(std::string_view key) const;

 private:
  friend class GgufParser;
  GgufFile() = default;
  Result<GgufValue> Element(std::string_view key, uint64_t index) const;

  std::string path_;
  std::span<const std::byte> bytes_;
  int64_t size_ = 0;
  bool is_gguf_ = true;
  std::shared_ptr<const void> storage_;
  std::vector<std::string_view> keys_;
  std::unordered_map<std::string_view, GgufValue> values_;
  std::vector<GgufTensor> tensors_;
  std::unordered_map<std::string_view, size_t> tensor_by_name_;
  std::unordered_map<std::string, std::string> names_;
};

// A text from a file for people to read: shortened, and without bytes that would upset a terminal.
std::string Plain(std::string_view text);
std::string Quoted(std::string_view text);  // the same in quotes

}  // namespace ltri

#endif  // LTRI_WEIGHTS_GGUF_FILE_H_
