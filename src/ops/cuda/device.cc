#include "ops/cuda/device.h"

#include <cuda_runtime.h>
#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <new>
#include <optional>

namespace ltri::cuda {
namespace {

constexpr int kLeastMajor = 8;

std::mutex first_error_mutex;
std::optional<Error> first_error;

}  // namespace

Result<DeviceInfo> OpenDevice() {
  int count = 0;
  if (const cudaError_t code = cudaGetDeviceCount(&count); code != cudaSuccess || count == 0) {
    cudaGetLastError();
    return Error{ErrorCode::kUnsupported,
                 fmt::format("no CUDA device can be used: {}; run with --device cpu",
                             code == cudaSuccess ? "there is none" : cudaGetErrorString(code))};
  }
  cudaDeviceProp properties{};
  Check(cudaSetDevice(0), "choosing the card");
  Check(cudaGetDeviceProperties(&properties, 0), "asking the card what it is");
  DeviceInfo info;
  info.name = properties.name;
  info.major = properties.major;
  info.minor = properties.minor;
  info.processors = properties.multiProcessorCount;
  info.shared_memory = static_cast<int64_t>(properties.sharedMemPerBlockOptin);
  info.memory = static_cast<int64_t>(properties.totalGlobalMem);
  if (Status status = Finish(nullptr); !status.ok()) return status.error();
  if (info.major < kLeastMajor) {
    return Error{ErrorCode::kUnsupported, fmt::format("{} has compute capability {}.{}, but 8.0 or newer is needed",
                                                      info.name, info.major, info.minor)};
  }
  return info;
}

int Processors() {
  static const int count = [] {
    int processors = 1;
    Check(cudaDeviceGetAttribute(&processors, cudaDevAttrMultiProcessorCount, 0), "counting multiprocessors");
    return processors;
  }();
  return count;
}

bool HasClusters() {
  static const bool has = [] {
    int clusters = 0;
    Check(cudaDeviceGetAttribute(&clusters, cudaDevAttrClusterLaunch, 0), "asking for clusters");
    return clusters != 0;
  }();
  return has;
}

CardMemory MemoryOfCard() {
  size_t free = 0;
  size_t total = 0;
  Check(cudaMemGetInfo(&free, &total), "asking for free memory");
  return {static_cast<int64_t>(free), static_cast<int64_t>(total)};
}

void Check(int code, const char* what) {
  if (code == cudaSuccess) return;
  const std::lock_guard<std::mutex> lock(first_error_mutex);
  if (first_error) return;
  const char* why = cudaGetErrorString(static_cast<cudaError_t>(code));
  first_error = Error{code == cudaErrorMemoryAllocation ? ErrorCode::kOutOfMemory : ErrorCode::kUnsupported,
                      fmt::format("the CUDA device failed while {}: {}", what, why)};
}

Status Finish(Stream stream) {
  Check(cudaStreamSynchronize(stream), "running");
  Check(cudaGetLastError(), "starting work");
  const std::lock_guard<std::mutex> lock(first_error_mutex);
  if (!first_error) return {};
  const Error error = *first_error;
  first_error.reset();
  return error;
}

Stream NewStream() {
  Stream stream = nullptr;
  Check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "making a stream");
  return stream;
}

void DeleteStream(Stream stream) { cudaStreamDestroy(stream); }

Buffer::Buffer(int64_t bytes) : bytes_(bytes) {
  if (bytes == 0) return;
  if (cudaMalloc(&data_, static_cast<size_t>(bytes)) != cudaSuccess) {
    cudaGetLastError();  // the card itself is well
    throw std::bad_alloc();
  }
}

Buffer::~Buffer() { cudaFree(data_); }

void Buffer::Reserve(int64_t bytes) {
  if (bytes <= bytes_) return;
  const int64_t more = std::max(bytes, bytes_ + bytes_ / 4);
  *this = Buffer();  // first gives back, so that both need not fit
  *this = Buffer(more);
}

PinnedBuffer::PinnedBuffer(int64_t bytes) {
  if (cudaMallocHost(&data_, static_cast<size_t>(bytes)) != cudaSuccess) {
    cudaGetLastError();
    throw std::bad_alloc();
  }
}

PinnedBuffer::~PinnedBuffer() { cudaFreeHost(data_); }

void Upload(Stream stream, void* to, const void* from, int64_t bytes) {
  Check(cudaMemcpyAsync(to, from, static_cast<size_t>(bytes), cudaMemcpyHostToDevice, stream), "copying to the card");
}

void Download(Stream stream, void* to, const void* from, int64_t bytes) {
  Check(cudaMemcpyAsync(to, from, static_cast<size_t>(bytes), cudaMemcpyDeviceToHost, stream), "copying from the card");
}

void CopyOnDevice(Stream stream, void* to, const void* from, int64_t bytes) {
  Check(cudaMemcpyAsync(to, from, static_cast<size_t>(bytes), cudaMemcpyDefault, stream), "copying on the card");
}

void CopyRows(Stream stream, void* to, int64_t to_pitch, const void* from, int64_t from_pitch, int64_t width,
              int64_t rows) {
  Check(cudaMemcpy2DAsync(to, static_cast<size_t>(to_pitch), from, static_cast<size_t>(from_pitch),
                          static_cast<size_t>(width), static_cast<size_t>(rows), cudaMemcpyDefault, stream),
        "copying rows");
}

void Clear(Stream stream, void* to, int64_t bytes) { Fill(stream, to, 0, bytes); }

void Fill(Stream stream, void* to, uint8_t byte, int64_t bytes) {
  if (bytes == 0) return;
  Check(cudaMemsetAsync(to, byte, static_cast<size_t>(bytes), stream), "clearing memory");
}

Timer::Timer() {
  cudaEvent_t event = nullptr;
  Check(cudaEventCreate(&event), "making an event");
  start_ = event;
  Check(cudaEventCreate(&event), "making an event");
  stop_ = event;
}

Timer::~Timer() {
  cudaEventDestroy(static_cast<cudaEvent_t>(start_));
  cudaEventDestroy(static_cast<cudaEvent_t>(stop_));
}

void Timer::Start(Stream stream) { Check(cudaEventRecord(static_cast<cudaEvent_t>(start_), stream), "timing"); }
void Timer::Stop(Stream stream) { Check(cudaEventRecord(static_cast<cudaEvent_t>(stop_), stream), "timing"); }

double Timer::Seconds() {
  float milliseconds = 0;
  Check(cudaEventSynchronize(static_cast<cudaEvent_t>(stop_)), "timing");
  Check(cudaEventElapsedTime(&milliseconds, static_cast<cudaEvent_t>(start_), static_cast<cudaEvent_t>(stop_)),
        "timing");
  return milliseconds / 1e3;
}

Event::Event() {
  cudaEvent_t event = nullptr;
  Check(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), "making an event");
  event_ = event;
}

Event::~Event() { cudaEventDestroy(static_cast<cudaEvent_t>(event_)); }

void Event::Record(Stream stream) { Check(cudaEventRecord(static_cast<cudaEvent_t>(event_), stream), "marking"); }
void Event::Wait() const { Check(cudaEventSynchronize(static_cast<cudaEvent_t>(event_)), "waiting"); }
void Event::HoldBack(Stream stream) const {
  Check(cudaStreamWaitEvent(stream, static_cast<cudaEvent_t>(event_), 0), "waiting");
}

Graph::~Graph() {
  if (executable_ != nullptr) cudaGraphExecDestroy(static_cast<cudaGraphExec_t>(executable_));
}

void Graph::Begin(Stream stream) {
  Check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "recording");
}

void Graph::End(Stream stream) {
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t executable = nullptr;
  Check(cudaStreamEndCapture(stream, &graph), "recording");
  Check(cudaGraphInstantiate(&executable, graph, 0), "making a graph");
  cudaGraphDestroy(graph);
  *this = Graph();
  executable_ = executable;
}

void Graph::Launch(Stream stream) const {
  Check(cudaGraphLaunch(static_cast<cudaGraphExec_t>(executable_), stream), "starting a graph");
}

}  // namespace ltri::cuda
