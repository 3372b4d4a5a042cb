// One transfer with libcurl, into a function.
#ifndef LTRI_CLI_FETCH_TRANSFER_H_
#define LTRI_CLI_FETCH_TRANSFER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace ltri {

enum class TransferEnd {
  kDone,
  kStopped,    // a callback said so
  kNoRange,    // the server cannot continue where asked to
  kHttpError,  // a status of 400 or more
  kTransient,  // the network: worth another try
  kFailed,     // the network or the URL: another try would not help
};

struct Transfer {
  std::string url;
  std::vector<std::string> headers;
  int64_t offset = 0;                                 // the first byte to fetch
  std::function<bool(const char*, size_t)> on_bytes;  // false: stop
  std::function<bool(int64_t done, int64_t total)>
      on_progress;  // bytes of this transfer, total 0: not known; may be empty
};

struct TransferResult {
  TransferEnd end = TransferEnd::kDone;
  int64_t status = 0;   // of HTTP; 0: none
  std::string message;  // what went wrong
};

// Follows redirects; gives up when nothing comes for a minute.
TransferResult RunTransfer(const Transfer& transfer);

}  // namespace ltri

#endif  // LTRI_CLI_FETCH_TRANSFER_H_
