// FileServer: an HTTP server on loopback for tests of downloads.
#ifndef LTRI_TESTS_SUPPORT_FILE_SERVER_H_
#define LTRI_TESTS_SUPPORT_FILE_SERVER_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace ltri {

class FileServer {
 public:
  FileServer();
  ~FileServer();

  // Serves `body` at `path`, whole or from where the client asks.
  void Serve(const std::string& path, const std::string& body);
  // Serves it whole, whatever the client asks for.
  void ServeWithoutRanges(const std::string& path, const std::string& body);
  // Answers `failures` times with status 503, then serves.
  void ServeAfterFailures(const std::string& path, const std::string& body, int failures);

  // "http://127.0.0.1:PORT"
  std::string Url() const;
  // The Range header of every request for a file, empty where there was none.
  std::vector<std::string> Ranges() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ltri

#endif  // LTRI_TESTS_SUPPORT_FILE_SERVER_H_
