#include "weights/hf/safetensors_file.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "support/tiny_folder.h"
#include "weights/ggml_types.h"

namespace ltri {
namespace {

Result<SafetensorsFile> Parse(const std::string& bytes) {
  return SafetensorsFile::Parse(std::as_bytes(std::span(bytes)), "a.safetensors", nullptr);
}

// A file of this header and so many bytes of data.
std::string FileOf(const std::string& header, size_t data) {
  const uint64_t size = header.size();
  return std::string(reinterpret_cast<const char*>(&size), sizeof(size)) + header + std::string(data, 'x');
}

TEST(SafetensorsFileTest, TensorsLieWhereTheHeaderSays) {
  const std::string bytes =
      FileOf(R"({"__metadata__":{"format":"pt"},"b":{"dtype":"BF16","shape":[2],"data_offsets":[24,28]},)"
             R"("a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}})",
             28);
  const auto file = Parse(bytes);
  ASSERT_TRUE(file.ok()) << file.error().message;
  ASSERT_EQ(file->tensors().size(), 2U);
  const GgufTensor& a = file->tensors().at("a");
  EXPECT_EQ(a.name, "a");
  EXPECT_EQ(a.type, kTypeF32);
  EXPECT_EQ(a.ShapeText(), "[3, 2]");
  EXPECT_EQ(a.bytes, 24);
  EXPECT_EQ(reinterpret_cast<const char*>(a.data), bytes.data() + bytes.size() - 28);
  EXPECT_EQ(file->tensors().at("b").type, kTypeBf16);
  EXPECT_EQ(file->tensors().at("b").data, a.data + 24);
  EXPECT_EQ(file->bytes(), static_cast<int64_t>(bytes.size()));
}

struct Damage {
  std::string name;
  std::string bytes;
  ErrorCode code;
  std::vector<std::string> parts;  // of the message
};

std::string OneTensor(const std::string& fields, size_t data = 8) { return FileOf("{\"a\":{" + fields + "}}", data); }

std::vector<Damage> AllDamage() {
  constexpr ErrorCode kCorrupt = ErrorCode::kCorrupt;
  const std::string good = R"("dtype":"F32","shape":[2],"data_offsets":[0,8])";
  std::string huge = FileOf("{}", 0);
  huge[6] = 1;  // of the length's eight bytes
  const std::string truncated = OneTensor(good);
  return {
      {"Tiny", "1234567", kCorrupt, {"7 bytes"}},
      {"HugeHeader", huge, kCorrupt, {"the header's length is 281474976710658", "33554432"}},
      {"HeaderBeyondTheEnd", truncated.substr(0, 20), kCorrupt, {"the header's length is", "12 bytes", "incomplete"}},
      {"NoJson", FileOf("{\"a\":", 0), kCorrupt, {"the header is no JSON", "parse error"}},
      {"NoUtf8", FileOf("{\"\xFF\":1}", 0), kCorrupt, {"the header is no JSON"}},
      {"NoObject", FileOf("[1]", 0), kCorrupt, {"no JSON object"}},
      {"NoEntry", FileOf("{\"a\":3}", 0), ErrorCode::kUnsupported, {"\"a\"", "dtype null"}},
      {"Deep", FileOf(std::string(100000, '['), 0), kCorrupt, {"the header is no JSON"}},
      {"WrongDtype",
       OneTensor(R"("dtype":"F8_E4M3","shape":[8],"data_offsets":[0,8])"),
       ErrorCode::kUnsupported,
       {"\"a\"", "F8_E4M3", "F32, F16 or BF16"}},
      {"NoShape", OneTensor(R"("dtype":"F32","data_offsets":[0,8])"), kCorrupt, {"\"a\"", "shape null"}},
      {"FiveDimensions",
       OneTensor(R"("dtype":"F32","shape":[1,1,1,1,2],"data_offsets":[0,8])"),
       kCorrupt,
       {"shape [1,1,1,1,2]", "1 to 4"}},
      {"NegativeSize", OneTensor(R"("dtype":"F32","shape":[-2],"data_offsets":[0,8])"), kCorrupt, {"shape [-2]"}},
      {"Overflow",
       OneTensor(R"("dtype":"F32","shape":[4294967296,4294967297],"data_offsets":[0,8])"),
       kCorrupt,
       {"4294967297", "65536 as dimension 1"}},
      {"SizesDiffer",
       OneTensor(R"("dtype":"F16","shape":[2],"data_offsets":[0,8])"),
       kCorrupt,
       {"\"a\"", "8 bytes", "[0,8]", "4 by its shape [2] of F16"}},
      {"BeyondTheEnd",
       OneTensor(R"("dtype":"F32","shape":[2],"data_offsets":[4,12])"),
       kCorrupt,
       {"[4,12]", "8 bytes of data", "incomplete"}},
      {"Backwards",
       OneTensor(R"("dtype":"F32","shape":[2],"data_offsets":[8,0])"),
       kCorrupt,
       {"[8,0]", "[begin, end]"}},
      {"NoOffsets", OneTensor(R"("dtype":"F32","shape":[2])"), kCorrupt, {"data_offsets null"}},
      {"Overlap",
       FileOf("{\"a\":{" + good + R"(},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})", 12),
       kCorrupt,
       {"\"b\"", "offset 4", "ends at 8"}},
      {"Hole",
       FileOf("{\"a\":{" + good + R"(},"b":{"dtype":"F32","shape":[1],"data_offsets":[12,16]}})", 16),
       kCorrupt,
       {"\"b\"", "offset 12", "ends at 8"}},
      {"Rest", OneTensor(good, 9), kCorrupt, {"9 bytes of data", "take 8"}},
      {"Twice", FileOf("{\"a\":{" + good + "},\"a\":{" + good + "}}", 8), kCorrupt, {"\"a\" appears twice"}},
  };
}

class SafetensorsDamageTest : public ::testing::TestWithParam<Damage> {};

TEST_P(SafetensorsDamageTest, IsAnErrorThatNamesTensorFieldAndValue) {
  const auto file = Parse(GetParam().bytes);
  ASSERT_FALSE(file.ok());
  EXPECT_EQ(file.error().code, GetParam().code) << file.error().message;
  EXPECT_TRUE(file.error().message.starts_with("a.safetensors: ")) << file.error().message;
  for (const std::string& part : GetParam().parts) {
    EXPECT_NE(file.error().message.find(part), std::string::npos) << part << " in " << file.error().message;
  }
}

INSTANTIATE_TEST_SUITE_P(All, SafetensorsDamageTest, ::testing::ValuesIn(AllDamage()),
                         [](const auto& damage) { return damage.param.name; });

TEST(SafetensorsFileTest, EveryTruncationIsAnError) {
  std::map<std::string, testing::HfTensor> tensors;
  tensors["a"] = {"F32", {3}, std::vector<std::byte>(12)};
  tensors["b"] = {"F16", {2, 2}, std::vector<std::byte>(8)};
  const std::string whole = testing::SafetensorsBytes(tensors);
  ASSERT_TRUE(Parse(whole).ok());
  for (size_t size = 0; size < whole.size(); ++size) EXPECT_FALSE(Parse(whole.substr(0, size)).ok()) << size;
}

}  // namespace
}  // namespace ltri
