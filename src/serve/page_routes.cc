// The web page. Its files are the same for everyone, so they need no key.
#include "base/http_library.h"
#include "serve/page_files.h"
#include "serve/routes.h"

namespace ltri {

void AddPageRoutes(httplib::Server& server) {
  const auto add = [&](const char* path, std::string_view file, const char* type) {
    server.Get(path, [file, type](const httplib::Request&, httplib::Response& response) {
      // Only what came with the page runs in it, and no other page may show it in a frame.
      response.set_header("Content-Security-Policy", "default-src 'self'; frame-ancestors 'none'; base-uri 'none'");
      response.set_header("Cache-Control", "no-cache");
      response.set_content(file.data(), file.size(), type);
    });
  };
  add("/", PageIndexHtml(), "text/html; charset=utf-8");
  add("/page/style.css", PageStyleCss(), "text/css; charset=utf-8");
  add("/page/app.js", PageAppJs(), "text/javascript; charset=utf-8");
}

}  // namespace ltri
