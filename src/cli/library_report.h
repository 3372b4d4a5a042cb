// What the commands over a library print about documents.
#ifndef LTRI_CLI_LIBRARY_REPORT_H_
#define LTRI_CLI_LIBRARY_REPORT_H_

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "ltri/library.h"

namespace ltri {

nlohmann::ordered_json DocumentJson(const DocumentInfo& document);
nlohmann::ordered_json CitationJson(const Citation& citation);
nlohmann::ordered_json DamageJson(const std::vector<LibraryDamage>& damage);

// One document on some lines, or all of them as a table.
std::string DocumentText(const DocumentInfo& document);
std::string ListText(const std::vector<DocumentInfo>& documents);
std::string CitationsText(const std::vector<Citation>& citations);

// "1.5 GiB"
std::string SizeText(int64_t bytes);

// One line on standard output. Error kIo.
Status PrintJson(const nlohmann::ordered_json& json);

}  // namespace ltri

#endif  // LTRI_CLI_LIBRARY_REPORT_H_
