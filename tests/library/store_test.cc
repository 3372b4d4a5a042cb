// Libraries as folders: who may write, what is refused, whose files they are.
#include "library/store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "library/archive.h"
#include "library/fake_document.h"
#include "library/format.h"
#include "library/remove.h"
#include "library/verify.h"
#include "support/run_program.h"
#include "support/temporary_folder.h"

namespace ltri {
namespace {

using namespace ltri::testing;  // NOLINT(google-build-using-namespace)
using ::testing::HasSubstr;
using ::testing::Not;
namespace fs = std::filesystem;

class StoreTest : public ::testing::Test {
 protected:
  std::unique_ptr<Store> Open(Access access) const {
    auto store = Store::Open(FileSystem::Posix(), library_, access);
    EXPECT_TRUE(store.ok()) << store.error().message;
    return std::move(*store);
  }
  static void Write(Store& store, const std::string& name, int64_t steps) {
    auto writer = DocumentWriter::Create(store, FakeRecord(name), 80000);
    ASSERT_TRUE(writer.ok()) << writer.error().message;
    std::vector<int64_t> addresses;
    for (int64_t step = 0; step < steps; ++step) ASSERT_TRUE(FakeStep(**writer, addresses).ok());
  }

  const TemporaryFolder scratch_;
  const std::string library_ = scratch_ / "a/b/library";
};

TEST_F(StoreTest, ASecondWriterIsToldWhoWrites) {
  const auto writer = Open(Access::kWrite);
  const auto second = Store::Open(FileSystem::Posix(), library_, Access::kWrite);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, ErrorCode::kIo);
  EXPECT_THAT(second.error().message, HasSubstr("process " + std::to_string(getpid())));
  EXPECT_THAT(second.error().message, HasSubstr(" since "));
}

TEST_F(StoreTest, TheLockEndsWithItsHolder) {
  Open(Access::kWrite).reset();
  EXPECT_NE(Open(Access::kWrite), nullptr);
}

TEST_F(StoreTest, ReadersSeeTheLastCommitWhileTheNextIsWritten) {
  const auto store = Open(Access::kWrite);
  auto writer = DocumentWriter::Create(*store, FakeRecord("book"), 80000);
  ASSERT_TRUE(writer.ok());
  std::vector<int64_t> addresses;
  ASSERT_TRUE(FakeStep(**writer, addresses).ok());
  const auto reader = Open(Access::kRead);
  const auto opened = StoredDocument::Open(*reader, "book");
  ASSERT_TRUE(opened.ok());
  for (int64_t step = 1; step < 6; ++step) {
    ASSERT_TRUE((*writer)->blocks()->Append(FakeBlock(step + 100)).ok());  // of a commit that is not done
    EXPECT_EQ(*CheckFakeDocument(*reader, "book"), step);
    ASSERT_TRUE(FakeStep(**writer, addresses).ok());
  }
  // What was opened long ago is still what it was.
  std::vector<std::byte> block(FakeBlock(0).size());
  ASSERT_TRUE(opened->blocks()->Read(addresses[0], block).ok());
  EXPECT_EQ(block, FakeBlock(0));
  EXPECT_EQ(opened->record().tokens, kFakeTokens);
}

// Locks are a process's own: SQLite takes who holds none for gone, and its log for one that nobody needs.
TEST_F(StoreTest, ReadersInOtherProcessesSeeEachCommitOfANewLibrary) {
  const auto listed_elsewhere = [&] { return RunProgram({"library", "list", "--library", library_}).output; };
  const auto store = Open(Access::kWrite);
  EXPECT_THAT(listed_elsewhere(), Not(HasSubstr("document one")));
  Write(*store, "document one", 1);
  EXPECT_THAT(listed_elsewhere(), HasSubstr("document one"));
  Write(*store, "document two", 1);
  EXPECT_THAT(listed_elsewhere(), HasSubstr("document two"));
}

TEST_F(StoreTest, WhoReadsMayGoOnWhenADocumentIsRemoved) {
  const auto store = Open(Access::kWrite);
  Write(*store, "book", 3);
  const auto document = StoredDocument::Open(*store, "book");
  ASSERT_TRUE(document.ok());
  ASSERT_TRUE(RemoveDocument(*store, "book").ok());
  std::vector<std::byte> block(FakeBlock(2).size());
  EXPECT_TRUE(document->blocks()->Read(FakeAddresses(document->session())[2], block).ok());
  EXPECT_EQ(block, FakeBlock(2));
  const auto gone = StoredDocument::Open(*store, "book");
  ASSERT_FALSE(gone.ok());
  EXPECT_EQ(gone.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(RemoveDocument(*store, "book").error().message, HasSubstr("there is: none"));
}

TEST_F(StoreTest, FilesAreTheUsersAlone) {
  const auto store = Open(Access::kWrite);
  Write(*store, "book", 3);
  int files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(scratch_ / "a")) {
    struct stat info = {};
    ASSERT_EQ(stat(entry.path().c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, entry.is_directory() ? 0700U : 0600U) << entry.path();
    ++files;
  }
  EXPECT_GT(files, 8);
}

TEST_F(StoreTest, NamesThatCouldLeaveTheFolderAreRefused) {
  for (const std::string bad : {"", "..", ".", "../x", "a/b", "/etc/passwd", "a\\b", "-rf", ".hidden", " x", "x ",
                                "a\nb", "a\x7f", "\xff", "x\x1b[2J"}) {
    const Status status = CheckDocumentName(bad);
    ASSERT_FALSE(status.ok()) << bad;
    EXPECT_EQ(status.error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(status.error().message.find('\x1b'), std::string::npos);
    const auto store = Open(Access::kWrite);
    EXPECT_FALSE(DocumentWriter::Create(*store, FakeRecord(bad)).ok());
  }
  EXPECT_FALSE(CheckDocumentName(std::string(201, 'x')).ok());
  for (const std::string good : {"war and peace", "Büch", "a.txt", "1", "a..b"}) {
    EXPECT_TRUE(CheckDocumentName(good).ok()) << good;
  }
}

TEST_F(StoreTest, WhatACrashLeftIsRemovedAndNothingElse) {
  std::string folder;
  {
    const auto store = Open(Access::kWrite);
    Write(*store, "book", 3);
    folder = store->FolderOf(store->catalogue().Find("book")->id);
    auto writer = DocumentWriter::Create(*store, FakeRecord("never committed"));
    ASSERT_TRUE((*writer)->blocks()->Append(FakeBlock(1)).ok());
  }
  const std::string last = folder + "/" + SegmentName(2);
  const std::string whole = ReadFile(last);
  WriteFile(last, whole + "torn");
  WriteFile(folder + "/" + SegmentName(3), "a new file");
  WriteFile(folder + "/" + StateName(4), "a state");
  WriteFile(folder + "/mine.txt", "a person's own");
  const auto store = Open(Access::kWrite);
  EXPECT_EQ(ReadFile(last), whole);
  EXPECT_FALSE(fs::exists(folder + "/" + SegmentName(3)));
  EXPECT_FALSE(fs::exists(folder + "/" + StateName(4)));
  EXPECT_TRUE(fs::exists(folder + "/" + StateName(3)));
  EXPECT_TRUE(fs::exists(folder + "/" + StateName(2)));
  EXPECT_TRUE(fs::exists(folder + "/mine.txt"));
  int folders = 0;
  for (const auto& entry : fs::directory_iterator(library_)) folders += entry.is_directory() ? 1 : 0;
  EXPECT_EQ(folders, 1);
  EXPECT_EQ(*CheckFakeDocument(*store, "book"), 3);
}

TEST_F(StoreTest, ADocumentTravelsAsOneFile) {
  const std::string file = scratch_ / "book.ltri";
  {
    const auto store = Open(Access::kWrite);
    Write(*store, "book", 4);
    ASSERT_TRUE(ExportDocument(*store, "book", file).ok());
    EXPECT_FALSE(ExportDocument(*store, "book", file).ok());  // it exists
    EXPECT_THAT(ImportDocument(*store, file, "copy").error().message, HasSubstr("this document already, as 'book'"));
  }
  auto other = Store::Open(FileSystem::Posix(), scratch_ / "other", Access::kWrite);
  ASSERT_TRUE(other.ok());
  EXPECT_FALSE(ImportDocument(**other, file, "../x").ok());
  const auto name = ImportDocument(**other, file, "renamed");
  ASSERT_TRUE(name.ok()) << name.error().message;
  EXPECT_EQ(*name, "renamed");
  EXPECT_EQ(*CheckFakeDocument(**other, "renamed"), 4);
  EXPECT_TRUE(VerifyStore(**other, {}, {})->damage.empty());
}

TEST_F(StoreTest, ADamagedArchiveLeavesNothingBehind) {
  const std::string file = scratch_ / "book.ltri";
  {
    const auto store = Open(Access::kWrite);
    Write(*store, "book", 2);
    ASSERT_TRUE(ExportDocument(*store, "book", file).ok());
  }
  const std::string whole = ReadFile(file);
  auto other = Store::Open(FileSystem::Posix(), scratch_ / "other", Access::kWrite);
  for (size_t byte = 0; byte < whole.size(); byte += byte < 400 ? 7 : 997) {
    std::string damaged = whole;
    damaged[byte] = static_cast<char>(damaged[byte] ^ 16);
    WriteFile(file, damaged);
    ASSERT_FALSE(ImportDocument(**other, file, "").ok()) << "byte " << byte;
    WriteFile(file, whole.substr(0, byte));
    ASSERT_FALSE(ImportDocument(**other, file, "").ok()) << "cut at byte " << byte;
  }
  for (const auto& entry : fs::directory_iterator(scratch_ / "other")) EXPECT_FALSE(entry.is_directory());
  EXPECT_TRUE((*other)->catalogue().Names()->empty());
}

TEST_F(StoreTest, ALibraryThatIsNoneIsRefused) {
  const auto missing = Store::Open(FileSystem::Posix(), library_, Access::kRead);
  ASSERT_FALSE(missing.ok());
  EXPECT_THAT(missing.error().message, HasSubstr("there is no library in"));
  fs::create_directories(library_);
  WriteFile(library_ + "/catalogue.db", "this is no database, but long enough to look at it twice");
  EXPECT_EQ(Store::Open(FileSystem::Posix(), library_, Access::kRead).error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(Store::Open(FileSystem::Posix(), library_, Access::kWrite).error().code, ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace ltri
