#include "base/mapped_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>

namespace ltri {
namespace {

std::string Path(const char* name) { return ::testing::TempDir() + "/ltri_mapped_" + name; }

TEST(MappedFileTest, HoldsTheBytesOfTheFile) {
  const std::string path = Path("text");
  std::ofstream(path) << "seven bytes";
  auto file = MappedFile::Open(path);
  ASSERT_TRUE(file.ok());
  ASSERT_EQ(file->bytes().size(), 11U);
  EXPECT_EQ(std::memcmp(file->bytes().data(), "seven bytes", 11), 0);
}

TEST(MappedFileTest, MovesLeaveOneOwner) {
  const std::string path = Path("moved");
  std::ofstream(path) << "abc";
  auto file = MappedFile::Open(path);
  ASSERT_TRUE(file.ok());
  MappedFile moved = std::move(*file);
  auto other = MappedFile::Open(path);
  ASSERT_TRUE(other.ok());
  moved = std::move(*other);
  EXPECT_EQ(moved.bytes().size(), 3U);
}

TEST(MappedFileTest, StaysReadableWhenTheNameIsRemoved) {
  const std::string path = Path("removed");
  std::ofstream(path) << "abc";
  auto file = MappedFile::Open(path);
  ASSERT_TRUE(file.ok());
  std::filesystem::remove(path);
  EXPECT_EQ(static_cast<char>(file->bytes()[2]), 'c');
}

TEST(MappedFileTest, SaysWhyAFileCannotBeOpened) {
  const auto expect = [](const std::string& path, ErrorCode code, const char* part) {
    const auto file = MappedFile::Open(path);
    ASSERT_FALSE(file.ok()) << path;
    EXPECT_EQ(file.error().code, code) << file.error().message;
    EXPECT_NE(file.error().message.find(part), std::string::npos) << file.error().message;
    EXPECT_NE(file.error().message.find(path), std::string::npos) << file.error().message;
  };
  std::ofstream(Path("empty")).flush();
  std::filesystem::remove(Path("pipe"));
  ASSERT_EQ(mkfifo(Path("pipe").c_str(), 0600), 0);
  expect("", ErrorCode::kInvalidArgument, "empty");
  expect(Path("missing"), ErrorCode::kNotFound, "no such file");
  expect(Path("empty") + "/below", ErrorCode::kNotFound, "no such file");
  expect(::testing::TempDir(), ErrorCode::kInvalidArgument, "folder");
  expect(Path("pipe"), ErrorCode::kInvalidArgument, "regular");
  expect(Path("empty"), ErrorCode::kCorrupt, "0 bytes");
  if (geteuid() != 0) {  // root may read everything
    std::ofstream(Path("locked")) << "abc";
    chmod(Path("locked").c_str(), 0);
    expect(Path("locked"), ErrorCode::kIo, "cannot be opened");
  }
}

}  // namespace
}  // namespace ltri
