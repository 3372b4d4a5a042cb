#include "cli/fetch/download.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <random>
#include <string>

#include "base/sha256.h"
#include "cli/fetch/output_file.h"
#include "support/file_server.h"
#include "support/temporary_folder.h"

namespace ltri {
namespace {

namespace fs = std::filesystem;

std::string RandomBytes(size_t size) {
  std::mt19937 random(5);
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

std::string Sha256Of(const std::string& bytes) {
  Sha256 hash;
  hash.Add(bytes.data(), bytes.size());
  return hash.Finish();
}

class DownloadTest : public ::testing::Test {
 protected:
  DownloadRequest Request() const {
    return {server_.Url() + "/file", path_, Sha256Of(body_), static_cast<int64_t>(body_.size()), {}};
  }

  const std::string body_ = RandomBytes(3'000'000);
  const TemporaryFolder folder_;
  const std::string path_ = folder_ / "model";
  FileServer server_;
};

TEST(Sha256Test, KnownDigests) {
  EXPECT_EQ(Sha256Of("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Sha256Of(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_FALSE(Sha256OfFile("/nonexistent").ok());
}

TEST_F(DownloadTest, FetchesTheWholeFile) {
  server_.Serve("/file", body_);
  int64_t seen = 0;
  const Status status = Download(Request(), [&](const DownloadProgress& progress) {
    EXPECT_GE(progress.done, seen);
    EXPECT_EQ(progress.file, "model");
    seen = progress.done;
    return true;
  });
  ASSERT_TRUE(status.ok()) << status.error().message;
  EXPECT_EQ(ReadFile(path_), body_);
  EXPECT_GT(seen, 0);
  EXPECT_FALSE(fs::exists(path_ + ".part"));
}

TEST_F(DownloadTest, GoesOnWhereAnEarlierTryEnded) {
  server_.Serve("/file", body_);
  WriteFile(path_ + ".part", body_.substr(0, 1'000'000));
  ASSERT_TRUE(Download(Request(), nullptr).ok());
  EXPECT_EQ(ReadFile(path_), body_);
  EXPECT_EQ(server_.Ranges(), std::vector<std::string>{"bytes=1000000-"});
}

TEST_F(DownloadTest, APartThatIsWholeNeedsNoNetwork) {
  WriteFile(path_ + ".part", body_);
  ASSERT_TRUE(Download(Request(), nullptr).ok());
  EXPECT_EQ(ReadFile(path_), body_);
}

TEST_F(DownloadTest, StartsOverWhenTheServerCannotContinue) {
  server_.ServeWithoutRanges("/file", body_);
  WriteFile(path_ + ".part", body_.substr(0, 1'000'000));
  const Status status = Download(Request(), nullptr);
  ASSERT_TRUE(status.ok()) << status.error().message;
  EXPECT_EQ(ReadFile(path_), body_);
}

TEST_F(DownloadTest, APartOfAnotherFileIsFetchedAnew) {
  server_.Serve("/file", body_);
  for (const std::string& part : {std::string(1'000'000, 'x'), std::string(9'000'000, 'x')}) {
    WriteFile(path_ + ".part", part);
    const Status status = Download(Request(), nullptr);
    ASSERT_TRUE(status.ok()) << status.error().message;
    EXPECT_EQ(ReadFile(path_), body_);
  }
}

TEST_F(DownloadTest, RefusesAWrongChecksum) {
  std::string other = body_;
  other[7] ^= 1;
  server_.Serve("/file", other);
  const Status status = Download(Request(), nullptr);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kCorrupt);
  EXPECT_NE(status.error().message.find(Sha256Of(body_)), std::string::npos);
  EXPECT_FALSE(fs::exists(path_));
  EXPECT_FALSE(fs::exists(path_ + ".part"));
}

TEST_F(DownloadTest, NamesAMissingFile) {
  const Status status = Download(Request(), nullptr);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kNotFound);
  EXPECT_NE(status.error().message.find("404"), std::string::npos);
}

TEST_F(DownloadTest, TriesAgainWhenTheServerIsBusy) {
  server_.ServeAfterFailures("/file", body_, 1);
  ASSERT_TRUE(Download(Request(), nullptr).ok());
  EXPECT_EQ(server_.Ranges().size(), 2U);
}

TEST_F(DownloadTest, ARefusedConnectionIsAnError) {
  DownloadRequest request = Request();
  request.url = "http://127.0.0.1:1/file";
  const Status status = Download(request, nullptr);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kIo);
  EXPECT_NE(status.error().message.find("HTTPS_PROXY"), std::string::npos) << status.error().message;
}

TEST_F(DownloadTest, StoppingKeepsThePart) {
  server_.Serve("/file", body_);
  const Status status = Download(Request(), [](const DownloadProgress& progress) { return progress.done == 0; });
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kCancelled);
  EXPECT_GT(fs::file_size(path_ + ".part"), 0U);
  ASSERT_TRUE(Download(Request(), nullptr).ok());
  EXPECT_EQ(ReadFile(path_), body_);
}

TEST_F(DownloadTest, AFullDiskSaysWhatIsNeededAndKeepsThePart) {
  server_.Serve("/file", body_);
  const auto before = std::signal(SIGXFSZ, SIG_IGN);
  rlimit limit{};
  getrlimit(RLIMIT_FSIZE, &limit);
  rlimit small = limit;
  small.rlim_cur = 1'000'000;
  setrlimit(RLIMIT_FSIZE, &small);
  const Status status = Download(Request(), nullptr);
  setrlimit(RLIMIT_FSIZE, &limit);
  std::signal(SIGXFSZ, before);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kIo);
  EXPECT_NE(status.error().message.find("2.0 MB more are needed"), std::string::npos) << status.error().message;
  EXPECT_EQ(fs::file_size(path_ + ".part"), 1'000'000U);
  ASSERT_TRUE(Download(Request(), nullptr).ok());
  EXPECT_EQ(ReadFile(path_), body_);
}

TEST_F(DownloadTest, ADiskTooSmallIsToldBeforehand) {
  DownloadRequest request = Request();
  request.size = int64_t{1} << 60;
  const Status status = Download(request, nullptr);
  ASSERT_FALSE(status.ok());
  EXPECT_NE(status.error().message.find("LTRI_MODELS"), std::string::npos) << status.error().message;
}

TEST_F(DownloadTest, FetchesFromAFolder) {
  WriteFile(folder_ / "source", body_);
  DownloadRequest request = Request();
  request.url = "file://" + (folder_ / "source");
  WriteFile(path_ + ".part", body_.substr(0, 5));
  const Status status = Download(request, nullptr);
  ASSERT_TRUE(status.ok()) << status.error().message;
  EXPECT_EQ(ReadFile(path_), body_);
}

TEST_F(DownloadTest, TwoAtOnceDoNotMix) {
  const auto held = OutputFile::Open(path_ + ".part");
  ASSERT_TRUE(held.ok());
  const Status status = Download(Request(), nullptr);
  ASSERT_FALSE(status.ok());
  EXPECT_NE(status.error().message.find("another program"), std::string::npos);
}

TEST(OutputFileTest, WritingToAFullDeviceIsAnError) {
  auto file = OutputFile::Open("/dev/full");
  if (!file.ok()) GTEST_SKIP() << "skipped: " << file.error().message;
  const Status status = file->Write("abc", 3, 3);
  ASSERT_FALSE(status.ok());
  EXPECT_NE(status.error().message.find("No space left"), std::string::npos) << status.error().message;
}

TEST(ShownUrlTest, HidesWhatIsPrivate) {
  EXPECT_EQ(ShownUrl("https://user:secret@host/a/b@c?token=1#x"), "https://host/a/b@c");
  EXPECT_EQ(ShownUrl("https://host/a@b"), "https://host/a@b");
  EXPECT_EQ(ShownUrl("file:///a/b"), "file:///a/b");
}

}  // namespace
}  // namespace ltri
