// A document without a model: its session is a list of blocks with known contents, one more for each step.
#ifndef LTRI_TESTS_LIBRARY_FAKE_DOCUMENT_H_
#define LTRI_TESTS_LIBRARY_FAKE_DOCUMENT_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "library/document_writer.h"
#include "library/stored_document.h"

namespace ltri::testing {

// Small, big (64 KiB and more) and odd sizes.
inline constexpr int64_t kFakeBlockBytes[] = {100, 70001, 5000, 65536, 1};
inline constexpr int64_t kFakeTokens = 3;  // a step

inline std::vector<std::byte> FakeBlock(int64_t step) {
  std::vector<std::byte> block(static_cast<size_t>(kFakeBlockBytes[step % 5]));
  for (size_t i = 0; i < block.size(); ++i)
    block[i] = static_cast<std::byte>(i * 31 + static_cast<size_t>(step) * 7 + 1);
  return block;
}

inline std::string FakeText(int64_t step) { return "Step " + std::to_string(step) + " is said. "; }

inline DocumentRecord FakeRecord(const std::string& name) {
  DocumentRecord record;
  record.name = name;
  record.fingerprint = 0x1234;
  record.model_path = "fake.gguf";
  record.settings.method = "fake";
  return record;
}

// Adds a step and commits it.
inline Status FakeStep(DocumentWriter& writer, std::vector<int64_t>& addresses) {
  const auto step = static_cast<int64_t>(addresses.size());
  const Result<int64_t> address = writer.blocks()->Append(FakeBlock(step));
  if (!address.ok()) return address.error();
  addresses.push_back(*address);
  TextBlock text{{}, FakeText(step)};
  text.token_bytes = {2, 4, static_cast<uint32_t>(text.text.size()) - 6};
  const std::vector<SpanRow> spans = {{0, step * kFakeTokens, (step + 1) * kFakeTokens, 0, 0, 0.5, 1.0}};
  DocumentStep next;
  next.session = std::as_bytes(std::span<const int64_t>(addresses));
  next.tokens = (step + 1) * kFakeTokens;
  next.texts = {&text, 1};
  next.sources = {{"fake.txt", 0, next.tokens, 99, 0}};
  next.spans = spans;
  next.finished = true;
  return writer.Commit(next);
}

inline std::vector<int64_t> FakeAddresses(const std::vector<std::byte>& session) {
  std::vector<int64_t> addresses(session.size() / sizeof(int64_t));
  std::ranges::copy(session, std::as_writable_bytes(std::span(addresses)).begin());
  return addresses;
}

// How many steps the document holds, after a look at all of them; the error says what differs.
inline Result<int64_t> CheckFakeDocument(Store& store, const std::string& name) {
  const auto wrong = [&](const std::string& what) { return Error{ErrorCode::kCorrupt, "WRONG ANSWER: " + what}; };
  const Result<StoredDocument> document = StoredDocument::Open(store, name);
  if (!document.ok()) return document.error();
  const std::vector<int64_t> addresses = FakeAddresses(document->session());
  const auto steps = static_cast<int64_t>(addresses.size());
  if (document->record().tokens != steps * kFakeTokens) return wrong("the number of tokens");
  std::string text;
  for (int64_t step = 0; step < steps; ++step) {
    std::vector<std::byte> block = FakeBlock(step);
    const std::vector<std::byte> expected = block;
    block.assign(block.size(), std::byte{0});
    if (Status status = document->blocks()->Read(addresses[static_cast<size_t>(step)], block); !status.ok()) {
      return status.error();
    }
    if (block != expected) return wrong("block " + std::to_string(step));
    text += FakeText(step);
  }
  const Result<StoredDocument::Passage> passage = document->Text(0, steps * kFakeTokens);
  if (!passage.ok()) return passage.error();
  if (passage->text != text) return wrong("the text");
  const Result<std::vector<SpanRow>> spans = store.catalogue().Spans(name);
  if (!spans.ok()) return spans.error();
  if (static_cast<int64_t>(spans->size()) != steps) return wrong("the number of spans");
  return steps;
}

}  // namespace ltri::testing

#endif  // LTRI_TESTS_LIBRARY_FAKE_DOCUMENT_H_
