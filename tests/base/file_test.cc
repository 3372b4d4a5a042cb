#include "base/file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "base/checksum.h"
#include "base/serial.h"
#include "support/temporary_folder.h"

namespace ltri {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class FileTest : public ::testing::Test {
 protected:
  const TemporaryFolder folder_;
  const std::string path_ = folder_ / "file";
  FileSystem& files_ = FileSystem::Posix();
};

TEST_F(FileTest, AppendReadTruncate) {
  const auto file = files_.Open(path_, OpenFor::kCreating);
  ASSERT_TRUE(file.ok()) << file.error().message;
  ASSERT_TRUE((*file)->Append(BytesOf("hello ")).ok());
  ASSERT_TRUE((*file)->Append(BytesOf("world")).ok());
  std::vector<std::byte> bytes(5);
  ASSERT_TRUE((*file)->Read(6, bytes).ok());
  EXPECT_EQ(TextOf(bytes), "world");
  const Status beyond = (*file)->Read(7, bytes);
  ASSERT_FALSE(beyond.ok());
  EXPECT_EQ(beyond.error().code, ErrorCode::kCorrupt);
  EXPECT_THAT(beyond.error().message, HasSubstr("ends at byte 11, 1 bytes too early"));
  ASSERT_TRUE((*file)->Truncate(5).ok());
  ASSERT_TRUE((*file)->Append(BytesOf("!")).ok());
  ASSERT_TRUE((*file)->Sync().ok());
  EXPECT_EQ(*(*file)->Size(), 6);
  EXPECT_EQ(TextOf(*ReadWhole(files_, path_, 6)), "hello!");
  EXPECT_EQ(ReadWhole(files_, path_, 5).error().code, ErrorCode::kCorrupt);
}

TEST_F(FileTest, OpenTellsWhatIsThereFromWhatIsNot) {
  for (const OpenFor purpose : {OpenFor::kReading, OpenFor::kAppending}) {
    EXPECT_EQ(files_.Open(path_, purpose).error().code, ErrorCode::kNotFound);
  }
  WriteFile(path_, "x");
  EXPECT_EQ(files_.Open(path_, OpenFor::kCreating).error().code, ErrorCode::kIo);
  EXPECT_TRUE(files_.Open(path_, OpenFor::kAppending).ok());
  EXPECT_EQ(files_.Remove(folder_ / "missing").error().code, ErrorCode::kNotFound);
  EXPECT_TRUE(RemoveIfThere(files_, folder_ / "missing").ok());
}

TEST_F(FileTest, WhatIsMadeIsTheUsersWhateverTheUmask) {
  const mode_t old = umask(0);
  ASSERT_TRUE(files_.MakeFolder(folder_ / "a/b").ok());
  ASSERT_TRUE(files_.MakeFolder(folder_ / "a/b").ok());
  ASSERT_TRUE(files_.Open(folder_ / "a/b/file", OpenFor::kCreating).ok());
  umask(old);
  struct stat info = {};
  ASSERT_EQ(stat((folder_ / "a/b/file").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
  ASSERT_EQ(stat((folder_ / "a").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700U);
}

TEST_F(FileTest, Folders) {
  ASSERT_TRUE(files_.MakeFolder(folder_ / "a").ok());
  WriteFile(folder_ / "a/2", "");
  WriteFile(folder_ / "a/1", "");
  EXPECT_THAT(*files_.List(folder_ / "a"), ElementsAre("1", "2"));
  ASSERT_TRUE(files_.Rename(folder_ / "a/1", folder_ / "a/2").ok());
  EXPECT_THAT(*files_.List(folder_ / "a"), ElementsAre("2"));
  EXPECT_TRUE(files_.SyncFolder(folder_ / "a").ok());
  EXPECT_TRUE(files_.RemoveFolder(folder_ / "a").ok());
  EXPECT_EQ(files_.List(folder_ / "a").error().code, ErrorCode::kNotFound);
}

TEST_F(FileTest, ALockIsHeldByOneAndEndsWithItsFile) {
  auto first = files_.Lock(path_);
  ASSERT_TRUE(first.ok());
  ASSERT_NE(*first, nullptr);
  EXPECT_EQ(*files_.Lock(path_), nullptr);
  first->reset();
  EXPECT_NE(*files_.Lock(path_), nullptr);
}

TEST(ChecksumTest, PieceByPieceIsTheSameAsInOne) {
  const std::string text(1000, 'x');
  RunningChecksum running;
  for (size_t at = 0; at < text.size(); at += 77) running.Add(BytesOf(std::string_view(text).substr(at, 77)));
  EXPECT_EQ(running.value(), Checksum(BytesOf(text)));
  EXPECT_EQ(Checksum(BytesOf("")), 0x2d06800538d394c2U);  // of the specification of XXH3
  EXPECT_NE(Checksum(BytesOf("a"), BytesOf("b")), Checksum(BytesOf("b"), BytesOf("a")));
}

}  // namespace
}  // namespace ltri
