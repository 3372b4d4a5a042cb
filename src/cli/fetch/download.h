// Download: a file from a URL (https, http, file), resumed where an earlier try ended, checked before it gets its name.
//
// Proxies and certificates come from the environment as curl takes them (HTTPS_PROXY, NO_PROXY, CURL_CA_BUNDLE,
// SSL_CERT_FILE).
#ifndef LTRI_CLI_FETCH_DOWNLOAD_H_
#define LTRI_CLI_FETCH_DOWNLOAD_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "ltri/result.h"

namespace ltri {

struct DownloadProgress {
  std::string file;     // its name, without folders
  int64_t done = 0;     // bytes, those of earlier tries included
  int64_t total = 0;    // bytes; 0: not known
  int64_t resumed = 0;  // bytes that were there at the start of this try
  double seconds = 0;   // of this try
};

// Called some times a second. Return false to stop: what has come stays for the next try.
using DownloadCallback = std::function<bool(const DownloadProgress&)>;

struct DownloadRequest {
  std::string url;
  std::string path;                  // where the file will be; PATH.part meanwhile
  std::string sha256;                // hexadecimal; empty: not checked
  int64_t size = 0;                  // bytes; 0: not known
  std::vector<std::string> headers;  // "Name: value"; not sent on to other hosts
};

// Errors: kNotFound (404), kIo (network, disk), kCorrupt (checksum; the part is removed), kCancelled. Transient network
// errors are tried again a few times.
Status Download(const DownloadRequest& request, const DownloadCallback& progress);

// A short text, at most 32 MiB.
Result<std::string> DownloadText(const std::string& url, const std::vector<std::string>& headers);

// The URL as it may be shown: without user name and password, query and fragment.
std::string ShownUrl(const std::string& url);

}  // namespace ltri

#endif  // LTRI_CLI_FETCH_DOWNLOAD_H_
