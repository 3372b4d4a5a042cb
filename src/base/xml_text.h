// Text as it may stand in XML, for pictures.
#ifndef LTRI_BASE_XML_TEXT_H_
#define LTRI_BASE_XML_TEXT_H_

#include <string>

namespace ltri {

// <, >, & and quotes as entities, control characters as spaces.
std::string EscapeXml(const std::string& text);

}  // namespace ltri

#endif  // LTRI_BASE_XML_TEXT_H_
