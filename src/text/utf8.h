// UTF-8: checking texts that come in, and holding back half characters of texts that go out.
#ifndef LTRI_TEXT_UTF8_H_
#define LTRI_TEXT_UTF8_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace ltri {

// The byte offset of the first sequence that is not well-formed UTF-8 (Unicode 15, table 3-7: no overlong forms, no
// surrogates, nothing above U+10FFFF), or nothing when all is well.
std::optional<size_t> FindInvalidUtf8(std::string_view text);

// The length in bytes of the well-formed character at the front of `text`; 0 when there is none. When `text` ends in
// the middle of a character that may still become well-formed, `*incomplete` is set.
size_t Utf8CharLength(std::string_view text, bool* incomplete);

// Turns pieces of bytes into pieces of whole characters. Not thread-safe: one per stream.
class Utf8Stream {
 public:
  // Takes the next bytes and returns every character that is now complete. Bytes that can never become a character are
  // replaced by U+FFFD, so the output is always well-formed.
  std::string Push(std::string_view bytes);

  // The end of the stream: a character that was never completed becomes U+FFFD.
  std::string Finish();

 private:
  std::string pending_;  // at most 3 bytes
};

}  // namespace ltri

#endif  // LTRI_TEXT_UTF8_H_
