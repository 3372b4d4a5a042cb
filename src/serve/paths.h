// Which methods the server has for a path.
#ifndef LTRI_SERVE_PATHS_H_
#define LTRI_SERVE_PATHS_H_

#include <string_view>

namespace ltri {

// As the header Allow has them, "GET, DELETE"; empty: there is nothing at this path.
std::string_view MethodsOf(std::string_view path);

// Whether `methods` has it. HEAD is as good as GET.
bool HasMethod(std::string_view methods, std::string_view method);

}  // namespace ltri

#endif  // LTRI_SERVE_PATHS_H_
