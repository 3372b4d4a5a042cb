// What all files of a library have in common: the mark at their beginning, ids and names.
#ifndef LTRI_LIBRARY_FORMAT_H_
#define LTRI_LIBRARY_FORMAT_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/serial.h"
#include "ltri/result.h"

namespace ltri {

constexpr size_t kFormatMarkBytes = 16;

// Eight letters, the version and the order of bytes.
void WriteFormatMark(StateWriter& out, std::string_view letters);
// Errors: kCorrupt (other letters), kUnsupported (another version or order of bytes); `path` is named.
Status CheckFormatMark(const std::string& path, std::span<const std::byte> bytes, std::string_view letters);

// An id or a fingerprint as 16 hexadecimal digits; also the name of a document's folder.
std::string IdText(uint64_t id);
std::optional<uint64_t> ParseId(std::string_view text);
uint64_t RandomId();

// The names of the files in a document's folder.
std::string SegmentName(int64_t number);
std::string StateName(int64_t generation);
// The number in such a name; none when it is not exactly one.
std::optional<int64_t> ParseSegmentName(std::string_view name);
std::optional<int64_t> ParseStateName(std::string_view name);

// What may be called a document: 1 to 200 bytes of UTF-8 without control characters, '/' and '\'; not beginning with
// '.' or '-' and without white space at the ends. Error kInvalidArgument.
Status CheckDocumentName(const std::string& name);

}  // namespace ltri

#endif  // LTRI_LIBRARY_FORMAT_H_
