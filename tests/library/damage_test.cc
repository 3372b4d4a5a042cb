// A flipped bit anywhere is found by verify, with document, file and offset, and never becomes an answer.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "library/fake_document.h"
#include "library/format.h"
#include "library/repair.h"
#include "library/verify.h"
#include "support/temporary_folder.h"

namespace ltri {
namespace {

using namespace ltri::testing;  // NOLINT(google-build-using-namespace)
using ::testing::HasSubstr;

constexpr int64_t kSteps = 4;

class DamageTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto store = Store::Open(FileSystem::Posix(), library_, Access::kWrite);
    ASSERT_TRUE(store.ok()) << store.error().message;
    auto writer = DocumentWriter::Create(**store, FakeRecord("book"), /*roll_bytes=*/80000);
    ASSERT_TRUE(writer.ok()) << writer.error().message;
    std::vector<int64_t> addresses;
    for (int64_t step = 0; step < kSteps; ++step) ASSERT_TRUE(FakeStep(**writer, addresses).ok());
    folder_ = (*store)->FolderOf((*writer)->record().id);
  }

  VerifyReport Verified() {
    const auto store = Store::Open(FileSystem::Posix(), library_, Access::kRead);
    EXPECT_TRUE(store.ok());
    Result<VerifyReport> report = VerifyStore(**store, {}, {});
    EXPECT_TRUE(report.ok());
    return std::move(*report);
  }

  Result<int64_t> Read() {
    const auto store = Store::Open(FileSystem::Posix(), library_, Access::kRead);
    if (!store.ok()) return store.error();
    return CheckFakeDocument(**store, "book");
  }

  const TemporaryFolder scratch_;
  const std::string library_ = scratch_ / "library";
  std::string folder_;  // of the document
};

void Flip(const std::string& path, size_t byte, int bit) {
  std::string bytes = ReadFile(path);
  bytes[byte] = static_cast<char>(bytes[byte] ^ (1 << bit));
  WriteFile(path, bytes);
}

TEST_F(DamageTest, AFlippedBitInAnyPartIsFoundAndNeverAnswered) {
  int cases = 0;
  const auto names = FileSystem::Posix().List(folder_);
  ASSERT_TRUE(names.ok());
  for (const std::string& name : *names) {
    if (name == StateName(kSteps - 1)) continue;  // the commit before, which only repair looks at
    const std::string path = folder_ + "/" + name;
    const size_t size = std::filesystem::file_size(path);
    // All of the headers, and a sample of the rest that is no multiple of any alignment.
    for (size_t byte = 0; byte < size; byte += byte < 64 ? 1 : 509) {
      const int bit = static_cast<int>(byte % 8);
      Flip(path, byte, bit);
      const VerifyReport report = Verified();
      ASSERT_FALSE(report.damage.empty()) << path << " byte " << byte;
      EXPECT_EQ(report.damage.front().document, "book");
      EXPECT_THAT(report.damage.front().what, HasSubstr(path));
      EXPECT_THAT(report.damage.front().what, HasSubstr("offset "));
      const Result<int64_t> read = Read();
      if (read.ok()) {
        EXPECT_EQ(*read, kSteps);  // a gap between blocks
      } else {
        EXPECT_EQ(read.error().message.find("WRONG ANSWER"), std::string::npos) << path << " byte " << byte;
      }
      Flip(path, byte, bit);
      ++cases;
    }
  }
  EXPECT_TRUE(Verified().damage.empty());
  std::printf("flipped bits: %d cases\n", cases);
}

TEST_F(DamageTest, EveryBlockIsNamedByItsOffset) {
  const auto store = Store::Open(FileSystem::Posix(), library_, Access::kRead);
  const auto document = StoredDocument::Open(**store, "book");
  ASSERT_TRUE(document.ok());
  for (const int64_t packed : FakeAddresses(document->session())) {
    const BlockAddress address = BlockAddress::Unpack(packed);
    const std::string path = folder_ + "/" + SegmentName(address.file);
    const auto at = static_cast<size_t>(address.offset) + 56;  // its checksum
    Flip(path, at, 3);
    EXPECT_THAT(Verified().damage.front().what, HasSubstr(path + ": offset " + std::to_string(address.offset)));
    const auto read = Read();
    ASSERT_FALSE(read.ok());
    EXPECT_EQ(read.error().code, ErrorCode::kCorrupt);
    Flip(path, at, 3);
  }
}

TEST_F(DamageTest, AMissingOrShortFileIsFound) {
  for (const std::string& name : {SegmentName(1), StateName(kSteps)}) {
    const std::string path = folder_ + "/" + name;
    const std::string whole = ReadFile(path);
    WriteFile(path, whole.substr(0, whole.size() - 1));
    EXPECT_EQ(Verified().damage.size(), 1U);
    EXPECT_FALSE(Read().ok());
    std::filesystem::remove(path);
    EXPECT_EQ(Verified().damage.size(), 1U);
    EXPECT_FALSE(Read().ok());
    WriteFile(path, whole);
  }
  EXPECT_EQ(*Read(), kSteps);
}

TEST_F(DamageTest, RepairGoesBackWhenTheLastCommitIsDamaged) {
  Flip(folder_ + "/" + StateName(kSteps), 100, 0);
  std::vector<std::string> repaired;
  {
    const auto store = RepairStore(FileSystem::Posix(), library_, {}, &repaired);
    ASSERT_TRUE(store.ok()) << store.error().message;
    ASSERT_EQ(repaired.size(), 1U);
    EXPECT_THAT(repaired.front(), HasSubstr("went back from 12 to 9 tokens"));
    // It goes on from there.
    auto writer = DocumentWriter::Resume(**store, "book");
    ASSERT_TRUE(writer.ok()) << writer.error().message;
    std::vector<int64_t> addresses = FakeAddresses((*writer)->TakeSession());
    EXPECT_TRUE(FakeStep(**writer, addresses).ok());
  }
  EXPECT_EQ(*Read(), kSteps);
  EXPECT_TRUE(Verified().damage.empty());
}

TEST_F(DamageTest, RepairMakesALostCatalogueAnew) {
  for (const bool lost : {true, false}) {
    const std::string catalogue = library_ + "/catalogue.db";
    if (lost) {
      std::filesystem::remove(catalogue);
    } else {
      Flip(catalogue, 30, 1);
      Flip(catalogue, 5000, 1);
    }
    // Nobody writes over it before.
    const auto refused = Store::Open(FileSystem::Posix(), library_, Access::kWrite);
    ASSERT_FALSE(refused.ok());
    EXPECT_THAT(refused.error().message, HasSubstr("ltri library repair"));
    std::vector<std::string> repaired;
    const auto store = RepairStore(FileSystem::Posix(), library_, {}, &repaired);
    ASSERT_TRUE(store.ok()) << store.error().message;
    EXPECT_EQ(repaired.size(), 1U);
    const auto document = StoredDocument::Open(**store, "book");
    ASSERT_TRUE(document.ok()) << document.error().message;
    EXPECT_EQ(FakeAddresses(document->session()).size(), static_cast<size_t>(kSteps));
  }
  EXPECT_TRUE(Verified().damage.empty());
}

TEST_F(DamageTest, ABlockOfAnotherDocumentIsRefused) {
  std::string other;
  {
    const auto store = Store::Open(FileSystem::Posix(), library_, Access::kWrite);
    auto writer = DocumentWriter::Create(**store, FakeRecord("other"), 80000);
    std::vector<int64_t> addresses;
    for (int64_t step = 0; step < kSteps; ++step) ASSERT_TRUE(FakeStep(**writer, addresses).ok());
    other = (*store)->FolderOf((*writer)->record().id);
  }
  // Everything but the ids is the same.
  WriteFile(folder_ + "/" + SegmentName(2), ReadFile(other + "/" + SegmentName(2)));
  EXPECT_THAT(Verified().damage.front().what, HasSubstr(SegmentName(2)));
  EXPECT_FALSE(Read().ok());
}

}  // namespace
}  // namespace ltri
