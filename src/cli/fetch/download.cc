#include "cli/fetch/download.h"

#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <thread>

#include "base/sha256.h"
#include "cli/fetch/output_file.h"
#include "cli/fetch/transfer.h"

namespace ltri {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr int kTries = 4;

Error NetworkError(const std::string& url, const TransferResult& result) {
  if (result.status == 404) return {ErrorCode::kNotFound, fmt::format("{} does not exist (404)", ShownUrl(url))};
  const char* hint = "check the network, or name your proxy in HTTPS_PROXY";
  if (result.status == 401 || result.status == 403)
    hint = "the server asks for permission; a hub's token goes to HF_TOKEN";
  return {ErrorCode::kIo, fmt::format("cannot fetch {}: {}; {}", ShownUrl(url), result.message, hint)};
}

const Error kCancelled{ErrorCode::kCancelled, "stopped; run the same command again to go on from here"};

// One request's state over several tries.
class Downloader {
 public:
  Downloader(const DownloadRequest& request, const DownloadCallback& progress, OutputFile* part)
      : request_(request), progress_(progress), part_(part) {}

  // Fetches what is missing of the part.
  Status FetchAll() {
    for (int attempt = 1;; ++attempt) {
      const TransferResult result = FetchRest();
      if (write_error_) return *write_error_;
      switch (result.end) {
        case TransferEnd::kDone:
          return {};
        case TransferEnd::kStopped:
          return kCancelled;
        case TransferEnd::kNoRange:
          if (const Status status = part_->Truncate(); !status.ok()) return status;
          break;
        case TransferEnd::kTransient:
          std::this_thread::sleep_for(std::chrono::milliseconds(250 << attempt));
          break;
        case TransferEnd::kHttpError:
        case TransferEnd::kFailed:
          return NetworkError(request_.url, result);
      }
      if (attempt == kTries) return NetworkError(request_.url, result);
    }
  }

 private:
  TransferResult FetchRest() {
    const int64_t start = part_->size();
    if (request_.size > 0 && start == request_.size) return {};
    const auto began = Clock::now();
    int64_t total = request_.size;
    Transfer transfer;
    transfer.url = request_.url;
    transfer.headers = request_.headers;
    transfer.offset = start;
    transfer.on_bytes = [&](const char* bytes, size_t size) {
      const Status status = part_->Write(bytes, size, total);
      if (!status.ok()) write_error_ = status.error();
      return status.ok();
    };
    transfer.on_progress = [&](int64_t, int64_t rest) {
      if (total == 0 && rest > 0) total = start + rest;
      const double seconds = std::chrono::duration<double>(Clock::now() - began).count();
      const std::string name = fs::path(request_.path).filename().string();
      return !progress_ || progress_({name, part_->size(), total, start, seconds});
    };
    return RunTransfer(transfer);
  }

  const DownloadRequest& request_;
  const DownloadCallback& progress_;
  OutputFile* part_;
  std::optional<Error> write_error_;
};

// Error kCorrupt when the bytes are not the expected ones.
Status Verify(const DownloadRequest& request, const OutputFile& part) {
  if (request.size > 0 && part.size() != request.size) {
    return Error{ErrorCode::kCorrupt, fmt::format("{} has {} bytes where {} are expected", ShownUrl(request.url),
                                                  part.size(), request.size)};
  }
  if (request.sha256.empty()) return {};
  const auto sha256 = Sha256OfFile(part.path());
  if (!sha256.ok()) return sha256.error();
  if (*sha256 == request.sha256) return {};
  return Error{ErrorCode::kCorrupt,
               fmt::format("{} has the wrong checksum: SHA-256 {}, expected {}; it was thrown away",
                           ShownUrl(request.url), *sha256, request.sha256)};
}

}  // namespace

Status Download(const DownloadRequest& request, const DownloadCallback& progress) {
  auto part = OutputFile::Open(request.path + ".part");
  if (!part.ok()) return part.error();
  if (request.size > 0 && part->size() > request.size) {
    if (const Status status = part->Truncate(); !status.ok()) return status;
  }
  if (const Status status = part->CheckRoom(request.size - part->size()); !status.ok()) return status;
  bool resumed = part->size() > 0;
  for (;;) {
    if (const Status status = Downloader(request, progress, &*part).FetchAll(); !status.ok()) return status;
    const Status verified = Verify(request, *part);
    if (verified.ok()) return part->RenameTo(request.path);
    if (verified.error().code != ErrorCode::kCorrupt) return verified;
    if (const Status status = part->Truncate(); !status.ok()) return status;
    if (!resumed) {
      std::error_code ignored;
      fs::remove(part->path(), ignored);
      return verified;
    }
    resumed = false;  // the beginning may have been of another file: once more from the start
  }
}

Result<std::string> DownloadText(const std::string& url, const std::vector<std::string>& headers) {
  constexpr size_t kLimit = size_t{32} << 20;
  std::string text;
  Transfer transfer;
  transfer.url = url;
  transfer.headers = headers;
  transfer.on_bytes = [&](const char* bytes, size_t size) {
    text.append(bytes, size);
    return text.size() <= kLimit;
  };
  const TransferResult result = RunTransfer(transfer);
  if (result.end != TransferEnd::kDone) return NetworkError(url, result);
  return text;
}

std::string ShownUrl(const std::string& url) {
  std::string shown = url.substr(0, url.find_first_of("?#"));
  const size_t scheme = shown.find("://");
  const size_t at = shown.find('@');
  if (scheme != std::string::npos && at != std::string::npos && at < shown.find('/', scheme + 3)) {
    shown.erase(scheme + 3, at - scheme - 2);
  }
  return shown;
}

}  // namespace ltri
