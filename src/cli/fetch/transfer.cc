#include "cli/fetch/transfer.h"

#include <curl/curl.h>

#include <array>
#include <memory>
#include <mutex>

namespace ltri {
namespace {

struct CurlDeleter {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
};
struct ListDeleter {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

size_t OnBytes(char* bytes, size_t one, size_t count, void* data) {
  const auto* transfer = static_cast<const Transfer*>(data);
  return transfer->on_bytes(bytes, one * count) ? one * count : 0;
}

int OnProgress(void* data, curl_off_t total, curl_off_t done, curl_off_t, curl_off_t) {
  const auto* transfer = static_cast<const Transfer*>(data);
  return !transfer->on_progress || transfer->on_progress(done, total) ? 0 : 1;
}

TransferEnd EndOf(CURLcode code) {
  switch (code) {
    case CURLE_OK:
      return TransferEnd::kDone;
    case CURLE_WRITE_ERROR:
    case CURLE_ABORTED_BY_CALLBACK:
      return TransferEnd::kStopped;
    case CURLE_RANGE_ERROR:
    case CURLE_BAD_DOWNLOAD_RESUME:
    case CURLE_FILE_COULDNT_READ_FILE:
      return TransferEnd::kNoRange;
    case CURLE_HTTP_RETURNED_ERROR:
      return TransferEnd::kHttpError;
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
      return TransferEnd::kTransient;
    default:
      return TransferEnd::kFailed;
  }
}

void SetOptions(CURL* curl, const Transfer& transfer, curl_slist* headers, char* message) {
  curl_easy_setopt(curl, CURLOPT_URL, transfer.url.c_str());
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(curl, CURLOPT_RESUME_FROM_LARGE, static_cast<curl_off_t>(transfer.offset));
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(curl, CURLOPT_MAXREDIRS, 10L);
  curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, 20L);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, 60L);
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "ltri");
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, message);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, OnBytes);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, OnProgress);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &transfer);
}

}  // namespace

TransferResult RunTransfer(const Transfer& transfer) {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  const std::unique_ptr<CURL, CurlDeleter> curl(curl_easy_init());
  if (curl == nullptr) return {TransferEnd::kFailed, 0, "libcurl cannot start"};
  std::unique_ptr<curl_slist, ListDeleter> headers;
  for (const std::string& header : transfer.headers) {
    headers.reset(curl_slist_append(headers.release(), header.c_str()));
  }
  std::array<char, CURL_ERROR_SIZE> message{};
  SetOptions(curl.get(), transfer, headers.get(), message.data());
  const CURLcode code = curl_easy_perform(curl.get());
  long status = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  TransferResult result{EndOf(code), status, message[0] != '\0' ? message.data() : curl_easy_strerror(code)};
  if (result.end == TransferEnd::kNoRange && transfer.offset == 0) result.end = TransferEnd::kFailed;
  if (result.end == TransferEnd::kHttpError && status == 416) result.end = TransferEnd::kNoRange;
  if (result.end == TransferEnd::kHttpError && (status >= 500 || status == 429)) result.end = TransferEnd::kTransient;
  return result;
}

}  // namespace ltri
