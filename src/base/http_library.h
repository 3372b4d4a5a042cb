// cpp-httplib with the settings that its objects in ltri_llama_cpp were compiled with: without them its types have
// other sizes. Included in place of its own header.
#ifndef LTRI_BASE_HTTP_LIBRARY_H_
#define LTRI_BASE_HTTP_LIBRARY_H_

#ifndef CPPHTTPLIB_OPENSSL_SUPPORT
#define CPPHTTPLIB_OPENSSL_SUPPORT
#endif

#include "cpp-httplib/httplib.h"  // IWYU pragma: export

#endif  // LTRI_BASE_HTTP_LIBRARY_H_
