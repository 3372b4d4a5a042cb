// SHA-256 of bytes that come in pieces.
#ifndef LTRI_BASE_SHA256_H_
#define LTRI_BASE_SHA256_H_

#include <cstddef>
#include <memory>
#include <string>

#include "ltri/result.h"

namespace ltri {

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void Add(const void* bytes, size_t size);

  // 64 hexadecimal digits. The end: nothing can be added afterwards.
  std::string Finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Error: kIo when the file cannot be read.
Result<std::string> Sha256OfFile(const std::string& path);

}  // namespace ltri

#endif  // LTRI_BASE_SHA256_H_
