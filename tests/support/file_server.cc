#include "support/file_server.h"

#include <mutex>
#include <thread>

#include "base/http_library.h"

namespace ltri {

struct FileServer::Impl {
  httplib::Server server;
  int port = 0;
  std::thread thread;
  mutable std::mutex mutex;
  std::vector<std::string> ranges;

  void Note(const httplib::Request& request) {
    const std::lock_guard lock(mutex);
    ranges.push_back(request.get_header_value("Range"));
  }
};

FileServer::FileServer() : impl_(std::make_unique<Impl>()) {
  impl_->port = impl_->server.bind_to_any_port("127.0.0.1");
  impl_->thread = std::thread([this] { impl_->server.listen_after_bind(); });
  impl_->server.wait_until_ready();
}

FileServer::~FileServer() {
  impl_->server.stop();
  impl_->thread.join();
}

void FileServer::Serve(const std::string& path, const std::string& body) { ServeAfterFailures(path, body, 0); }

void FileServer::ServeWithoutRanges(const std::string& path, const std::string& body) {
  impl_->server.Get(path, [this, body](const httplib::Request& request, httplib::Response& response) {
    impl_->Note(request);
    const_cast<httplib::Request&>(request).ranges.clear();
    response.set_content(body, "application/octet-stream");
  });
}

void FileServer::ServeAfterFailures(const std::string& path, const std::string& body, int failures) {
  auto left = std::make_shared<int>(failures);
  impl_->server.Get(path, [this, body, left](const httplib::Request& request, httplib::Response& response) {
    impl_->Note(request);
    if (*left > 0) {
      --*left;
      const_cast<httplib::Request&>(request).ranges.clear();
      response.status = 503;
      return;
    }
    response.set_content(body, "application/octet-stream");
  });
}

std::string FileServer::Url() const { return "http://127.0.0.1:" + std::to_string(impl_->port); }

std::vector<std::string> FileServer::Ranges() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->ranges;
}

}  // namespace ltri
