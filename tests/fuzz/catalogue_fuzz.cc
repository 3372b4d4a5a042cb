// Any bytes as a catalogue: an error or documents, never a crash, and memory in proportion to the input.
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

#include "base/file.h"
#include "library/catalogue.h"
#include "library/store.h"
#include "library/stored_document.h"
#include "library/verify.h"
#include "support/temporary_folder.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const ltri::TemporaryFolder folder;
  const std::string path = ltri::Store::CataloguePath(folder.path());
  for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(path + suffix);
  ltri::WriteFile(path, std::string(reinterpret_cast<const char*>(data), size));
  const auto store = ltri::Store::Open(ltri::FileSystem::Posix(), folder.path(), ltri::Access::kRead);
  if (!store.ok()) return 0;
  (void)ltri::VerifyStore(**store, {}, {});
  const auto names = (*store)->catalogue().Names();
  if (!names.ok()) return 0;
  for (const std::string& name : *names) {
    (void)(*store)->catalogue().Spans(name);
    (void)(*store)->catalogue().SpanEnds(name);
    (void)ltri::StoredDocument::Open(**store, name);
  }
  return 0;
}
