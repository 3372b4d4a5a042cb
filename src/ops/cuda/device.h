// The card: its memory, its stream of work, and its errors.
//
// Work is queued on a stream and fails late, so kernels return nothing: the first error is kept and Finish returns it.
// Memory that cannot be had is std::bad_alloc, as on the host; the engine turns it into kOutOfMemory.
#ifndef LTRI_OPS_CUDA_DEVICE_H_
#define LTRI_OPS_CUDA_DEVICE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "ltri/result.h"

struct CUstream_st;

namespace ltri::cuda {

using Stream = CUstream_st*;

struct DeviceInfo {
  std::string name;
  int major = 0;  // compute capability
  int minor = 0;
  int processors = 0;
  int64_t memory = 0;         // bytes
  int64_t shared_memory = 0;  // bytes that a block of threads can have
};

// The first card, made current. Error kUnsupported when there is none or it is too old (below 8.0).
Result<DeviceInfo> OpenDevice();

// Multiprocessors of the current card; asked once.
int Processors();

// Whether blocks of threads can form clusters; asked once.
bool HasClusters();

struct CardMemory {
  int64_t free = 0;  // bytes that nobody uses
  int64_t total = 0;
};
CardMemory MemoryOfCard();

// Keeps the first failure of the process's device work; `code` is a cudaError_t.
void Check(int code, const char* what);

// Waits for the stream. Returns, and forgets, the first error.
Status Finish(Stream stream);

Stream NewStream();
void DeleteStream(Stream stream);

// Device memory, not cleared.
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(int64_t bytes);
  ~Buffer();
  Buffer(Buffer&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  Buffer& operator=(Buffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }

  int64_t bytes() const { return bytes_; }
  template <typename T>
  T* as() const {
    return static_cast<T*>(data_);
  }
  // Makes room for `bytes`, and for some more when it grows again; what was there is lost then. Waits for the card in
  // that case.
  void Reserve(int64_t bytes);

 private:
  void* data_ = nullptr;
  int64_t bytes_ = 0;
};

// Page-locked host memory that copies run from and to while the host goes on.
class PinnedBuffer {
 public:
  explicit PinnedBuffer(int64_t bytes);
  ~PinnedBuffer();
  PinnedBuffer(const PinnedBuffer&) = delete;
  PinnedBuffer& operator=(const PinnedBuffer&) = delete;
  template <typename T>
  T* as() const {
    return static_cast<T*>(data_);
  }

 private:
  void* data_ = nullptr;
};

// Copies in stream order. Host memory that is not pinned has been read when Upload returns, and written when Download
// returns.
void Upload(Stream stream, void* to, const void* from, int64_t bytes);
void Download(Stream stream, void* to, const void* from, int64_t bytes);
// Both on the card, or pinned.
void CopyOnDevice(Stream stream, void* to, const void* from, int64_t bytes);
// `rows` rows of `width` bytes, which begin every so many bytes. Either on the card, or pinned.
void CopyRows(Stream stream, void* to, int64_t to_pitch, const void* from, int64_t from_pitch, int64_t width,
              int64_t rows);
void Clear(Stream stream, void* to, int64_t bytes);
void Fill(Stream stream, void* to, uint8_t byte, int64_t bytes);

// Seconds between two places in a stream.
class Timer {
 public:
  Timer();
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  void Start(Stream stream);
  void Stop(Stream stream);
  double Seconds();  // waits for Stop

 private:
  void* start_ = nullptr;
  void* stop_ = nullptr;
};

// A place in a stream that the host can wait for.
class Event {
 public:
  Event();
  ~Event();
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  void Record(Stream stream);
  void Wait() const;
  // What is queued on `stream` from here on waits, not the host.
  void HoldBack(Stream stream) const;

 private:
  void* event_ = nullptr;
};

// Work that was recorded once and is queued as one.
class Graph {
 public:
  Graph() = default;
  ~Graph();
  Graph(Graph&& other) noexcept : executable_(std::exchange(other.executable_, nullptr)) {}
  Graph& operator=(Graph&& other) noexcept {
    std::swap(executable_, other.executable_);
    return *this;
  }

  // Records what `work` queues on `stream` in place of running it.
  template <typename Work>
  void Record(Stream stream, Work&& work) {
    Begin(stream);
    work();
    End(stream);
  }
  bool empty() const { return executable_ == nullptr; }
  void Launch(Stream stream) const;

 private:
  static void Begin(Stream stream);
  void End(Stream stream);

  void* executable_ = nullptr;
};

}  // namespace ltri::cuda

#endif  // LTRI_OPS_CUDA_DEVICE_H_
