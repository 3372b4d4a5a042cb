// The files of the web page (page/), as CMake puts them into the program.
#ifndef LTRI_SERVE_PAGE_FILES_H_
#define LTRI_SERVE_PAGE_FILES_H_

#include <string_view>

namespace ltri {

std::string_view PageIndexHtml();
std::string_view PageStyleCss();
std::string_view PageAppJs();

}  // namespace ltri

#endif  // LTRI_SERVE_PAGE_FILES_H_
