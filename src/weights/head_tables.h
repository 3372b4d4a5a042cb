// The head tables that come with the program (head_tables.json), as CMake puts them into it: an object, by weights.
#ifndef LTRI_WEIGHTS_HEAD_TABLES_H_
#define LTRI_WEIGHTS_HEAD_TABLES_H_

#include <string_view>

namespace ltri {

std::string_view HeadTablesJson();

}  // namespace ltri

#endif  // LTRI_WEIGHTS_HEAD_TABLES_H_
