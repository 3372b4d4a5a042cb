// Numbers and arrays as bytes, and back. Little-endian, as every machine that this builds for.
//
// A reader never reads past its bytes: once they end too early or hold what cannot be, it is failed for good, gives
// zeros and empty arrays, and allocates no more than the bytes could hold. Callers check ok() before they use what they
// got.
#ifndef LTRI_BASE_SERIAL_H_
#define LTRI_BASE_SERIAL_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "ltri/result.h"

namespace ltri {

static_assert(std::endian::native == std::endian::little, "files are little-endian");

inline std::span<const std::byte> BytesOf(std::string_view text) { return std::as_bytes(std::span<const char>(text)); }

inline std::string_view TextOf(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

class StateWriter {
 public:
  template <typename T>
  void Put(const T& value) {
    static_assert(std::is_arithmetic_v<T>);
    PutBytes(&value, sizeof(T));
  }

  // The number of elements, then the elements.
  template <typename T>
  void PutAll(std::span<const T> values) {
    static_assert(std::is_arithmetic_v<T>);
    Put<uint64_t>(values.size());
    PutBytes(values.data(), values.size_bytes());
  }
  template <typename T>
  void PutAll(const std::vector<T>& values) {
    PutAll(std::span<const T>(values));
  }
  void PutAll(const std::vector<std::byte>& bytes) {
    Put<uint64_t>(bytes.size());
    PutBytes(bytes.data(), bytes.size());
  }

  // Bytes as they are, without their number.
  void PutRaw(std::span<const std::byte> bytes) { PutBytes(bytes.data(), bytes.size()); }
  void PutZeros(size_t count) { bytes_.resize(bytes_.size() + count); }
  void PutText(std::string_view text) { PutAll(std::span<const char>(text)); }

  const std::vector<std::byte>& bytes() const { return bytes_; }
  std::vector<std::byte> Take() { return std::move(bytes_); }

 private:
  void PutBytes(const void* from, size_t size) {
    const auto* begin = static_cast<const std::byte*>(from);
    bytes_.insert(bytes_.end(), begin, begin + size);
  }

  std::vector<std::byte> bytes_;
};

class StateReader {
 public:
  // bytes outlive the reader.
  explicit StateReader(std::span<const std::byte> bytes) : bytes_(bytes), left_(bytes) {}

  bool ok() const { return failure_.empty(); }
  bool at_end() const { return left_.empty(); }

  template <typename T>
  T Get() {
    static_assert(std::is_arithmetic_v<T>);
    T value{};
    if (ok() && left_.size() < sizeof(T)) Fail("ends too early");
    if (ok()) CopyOut(&value, sizeof(T));
    return value;
  }

  // A number from `least` to `most`.
  template <typename T>
  T GetWithin(T least, T most, std::string_view what) {
    const T value = Get<T>();
    if (ok() && !(value >= least && value <= most)) Fail(std::string(what) + " is out of range");
    return ok() ? value : least;
  }

  // How many things of at least `least_bytes` bytes follow.
  int64_t GetCount(size_t least_bytes) {
    const auto count = Get<uint64_t>();
    if (ok() && count > left_.size() / least_bytes) Fail("counts more than there is");
    return ok() ? static_cast<int64_t>(count) : 0;
  }

  template <typename T>
  std::vector<T> GetAll() {
    std::vector<T> values(static_cast<size_t>(GetCount(sizeof(T))));
    if (ok()) CopyOut(values.data(), values.size() * sizeof(T));
    return values;
  }

  // The same, of exactly `count` elements.
  template <typename T>
  std::vector<T> GetAll(int64_t count, std::string_view what) {
    std::vector<T> values = GetAll<T>();
    if (ok() && static_cast<int64_t>(values.size()) != count) Fail(std::string(what) + " has a wrong length");
    values.resize(ok() ? values.size() : static_cast<size_t>(0));
    return values;
  }

  // The next bytes, in place.
  std::span<const std::byte> GetRaw(uint64_t count) {
    if (ok() && left_.size() < count) Fail("ends too early");
    if (!ok()) return {};
    const std::span<const std::byte> bytes = left_.first(static_cast<size_t>(count));
    left_ = left_.subspan(bytes.size());
    return bytes;
  }
  std::string GetText() { return std::string(TextOf(GetRaw(Get<uint64_t>()))); }
  size_t left() const { return left_.size(); }

  void Check(bool holds, std::string_view what) {
    if (ok() && !holds) Fail(std::string(what));
  }

  // kCorrupt, with the place.
  Status status() const {
    if (ok()) return {};
    return Error{ErrorCode::kCorrupt, "byte " + std::to_string(failed_at_) + ": " + failure_};
  }

 private:
  void CopyOut(void* to, size_t size) {
    if (size > 0) std::memcpy(to, left_.data(), size);
    left_ = left_.subspan(size);
  }
  void Fail(std::string what) {
    failure_ = std::move(what);
    failed_at_ = bytes_.size() - left_.size();
  }

  std::span<const std::byte> bytes_;
  std::span<const std::byte> left_;
  std::string failure_;
  size_t failed_at_ = 0;
};

}  // namespace ltri

#endif  // LTRI_BASE_SERIAL_H_
