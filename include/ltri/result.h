// Result<T>: a value or an Error. Everything that a user can cause (files, prompts, options) is returned this way;
// assertions are for mistakes of the programmer.
#ifndef LTRI_RESULT_H_
#define LTRI_RESULT_H_

#include <cassert>
#include <string>
#include <utility>
#include <variant>

namespace ltri {

enum class ErrorCode {
  kInvalidArgument,  // an option or a text that cannot be used as given
  kNotFound,         // a file, model or name that does not exist
  kCorrupt,          // a file that contradicts itself or ends too early
  kUnsupported,      // well formed, but of a kind this build does not handle
  kOutOfMemory,      // would not fit the machine or the budget
  kIo,               // the system refused to read or write
  kCancelled,        // the caller asked to stop
};

struct Error {
  ErrorCode code = ErrorCode::kInvalidArgument;
  std::string message;  // names the wrong value and what to do; one line, no trailing full stop needed
};

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::move(value)) {}      // NOLINT(google-explicit-constructor)
  Result(Error error) : state_(std::move(error)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return std::holds_alternative<T>(state_); }
  explicit operator bool() const { return ok(); }

  // The value; only when ok().
  T& operator*() & { return Get(); }
  const T& operator*() const& { return std::get<T>(state_); }
  T&& operator*() && { return std::move(Get()); }
  T* operator->() { return &Get(); }
  const T* operator->() const { return &std::get<T>(state_); }

  // The error; only when !ok().
  const Error& error() const { return std::get<Error>(state_); }

 private:
  T& Get() {
    assert(ok());
    return std::get<T>(state_);
  }

  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)), ok_(false) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return ok_; }
  explicit operator bool() const { return ok_; }
  const Error& error() const { return error_; }

 private:
  Error error_;
  bool ok_ = true;
};

using Status = Result<void>;

}  // namespace ltri

#endif  // LTRI_RESULT_H_
