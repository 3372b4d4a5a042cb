// The parser alone: values come back as written, and bytes that are no sound file give errors that say what is wrong.
#include "weights/gguf_file.h"

#include <gtest/gtest.h>

#include <limits>

#include "support/raw_gguf.h"

namespace ltri {
namespace {

using testing::RawGguf;

constexpr uint32_t kF32 = 0;
constexpr uint32_t kQ8 = 8;  // Q8_0: blocks of 32

TEST(GgufFileTest, ValuesComeBackAsWritten) {
  RawGguf raw;
  raw.Header(0, 9);
  raw.Key("u8", GgufType::kU8).Number<uint8_t>(200);
  raw.Key("i16", GgufType::kI16).Number<int16_t>(-300);
  raw.Key("u64", GgufType::kU64).Number<uint64_t>(5000000000);
  raw.Key("f32", GgufType::kF32).Number(1.5F);
  raw.Key("f64", GgufType::kF64).Number(2.5);
  raw.Key("bool", GgufType::kBool).Number<uint8_t>(1);
  raw.Key("text", GgufType::kString).Text("hello");
  raw.Key("list", GgufType::kArray).Number(static_cast<uint32_t>(GgufType::kI32)).Number<uint64_t>(2);
  raw.Number<int32_t>(7).Number<int32_t>(-8);
  raw.Key("texts", GgufType::kArray).Number(static_cast<uint32_t>(GgufType::kString)).Number<uint64_t>(2);
  raw.Text("a").Text("bc");
  const auto file = raw.Parse();
  ASSERT_TRUE(file.ok()) << file.error().message;
  EXPECT_EQ(*file->Integer("u8"), 200);
  EXPECT_EQ(*file->Integer("i16"), -300);
  EXPECT_EQ(*file->Integer("u64"), 5000000000);
  EXPECT_EQ(*file->Number("f32"), 1.5);
  EXPECT_EQ(*file->Number("f64"), 2.5);
  EXPECT_EQ(*file->Number("i16"), -300.0);
  EXPECT_TRUE(*file->Bool("bool"));
  EXPECT_EQ(*file->Text("text"), "hello");
  EXPECT_EQ(*file->Integer("list", 1), -8);
  EXPECT_EQ(*file->Strings("texts"), (std::vector<std::string_view>{"a", "bc"}));
  EXPECT_EQ(file->keys().size(), 9U);
  EXPECT_EQ(file->FindTensor("none"), nullptr);
}

TEST(GgufFileTest, ValuesOfAnotherKindNameKeyAndType) {
  RawGguf raw;
  raw.Header(0, 3);
  raw.Key("text", GgufType::kString).Text("hello");
  raw.Key("large", GgufType::kU64).Number(std::numeric_limits<uint64_t>::max());
  raw.Key("nan", GgufType::kF32).Number(std::numeric_limits<float>::quiet_NaN());
  const auto file = raw.Parse();
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(file->Integer("text").error().message, "raw.gguf: text has type string, expected an integer");
  EXPECT_EQ(file->Number("text").error().message, "raw.gguf: text has type string, expected a number");
  EXPECT_EQ(file->Bool("text").error().message, "raw.gguf: text has type string, expected a truth value");
  EXPECT_EQ(file->Text("large").error().message, "raw.gguf: large has type u64, expected a text");
  EXPECT_EQ(file->Strings("text").error().message, "raw.gguf: text has type string, expected a list of texts");
  EXPECT_EQ(file->Integer("large").error().message, "raw.gguf: large is 18446744073709551615, too large");
  EXPECT_EQ(file->Number("nan").error().message, "raw.gguf: nan is nan, expected a finite number");
  EXPECT_EQ(file->Integer("none").error().message, "raw.gguf: value none is missing");
  EXPECT_EQ(file->Integer("large", 3).error().message, "raw.gguf: large has 1 elements, element 3 is needed");
}

TEST(GgufFileTest, TensorsLieWhereTheTableSays) {
  RawGguf raw;
  raw.Header(2, 0).Tensor("a", {4, 2}, kF32, 32).Tensor("b", {32}, kQ8, 0).Data(64);
  const auto file = raw.Parse();
  ASSERT_TRUE(file.ok()) << file.error().message;
  const GgufTensor* a = file->FindTensor("a");
  const GgufTensor* b = file->FindTensor("b");
  EXPECT_EQ(a->data - b->data, 32);
  EXPECT_EQ(a->bytes, 32);
  EXPECT_EQ(b->bytes, 34);
  EXPECT_EQ(a->ShapeText(), "[4, 2]");
}

struct Damage {
  const char* name;
  RawGguf bytes;
  const char* message;  // a part of it
};

std::ostream& operator<<(std::ostream& out, const Damage& damage) { return out << damage.name; }

RawGguf Value(const std::string& key, GgufType type) {
  RawGguf raw;
  raw.Header(0, 1).Key(key, type);
  return raw;
}

RawGguf Tensor(const std::string& name, const std::vector<int64_t>& shape, uint32_t type, uint64_t offset) {
  RawGguf raw;
  raw.Header(1, 0).Tensor(name, shape, type, offset).Data(256);
  return raw;
}

RawGguf Array(uint32_t element, uint64_t count) { return Value("k", GgufType::kArray).Number(element).Number(count); }

std::vector<Damage> HeaderDamage() {
  return {
      {"Nothing", RawGguf(), "not a GGUF file"},
      {"OtherMagic", RawGguf().Bytes("GGML12345678"), "starts with \"GGML\""},
      {"MagicWithControls", RawGguf().Bytes("\x1b[2J"), "\"\\x1b[2J\""},
      {"OnlyMagic", RawGguf().Bytes("GGUF"), "ends inside the version"},
      {"Version1", RawGguf().Header(0, 0, 1), "version is 1"},
      {"Version9", RawGguf().Header(0, 0, 9), "version is 9"},
      {"BigEndian", RawGguf().Header(0, 0, 0x03000000), "big-endian"},
      {"NoCounts", RawGguf().Bytes("GGUF").Number<uint32_t>(3), "ends inside the tensor count"},
      {"HugeTensorCount", RawGguf().Header(uint64_t{1} << 60, 0).Data(64), "tensor count is 1152921504606846976"},
      {"HugeValueCount", RawGguf().Header(0, ~uint64_t{0}).Data(64), "value count is 18446744073709551615"},
  };
}

std::vector<Damage> ValueDamage() {
  constexpr auto kI32 = static_cast<uint32_t>(GgufType::kI32);
  constexpr auto kString = static_cast<uint32_t>(GgufType::kString);
  constexpr auto kArray = static_cast<uint32_t>(GgufType::kArray);
  return {
      {"EmptyKey", Value("", GgufType::kU8).Number<uint8_t>(1), "name of value 0 is empty"},
      {"HugeKey", RawGguf().Header(0, 1).Number(~uint64_t{0}).Data(16), "text of 18446744073709551615 bytes"},
      {"UnknownType", Value("k", static_cast<GgufType>(13)).Data(8), "value \"k\" has type 13"},
      {"EndsInValue", Value("k", GgufType::kU64).Number<uint32_t>(1), "ends inside value \"k\""},
      {"HugeText", Value("k", GgufType::kString).Number(uint64_t{1} << 50), "text of 1125899906842624 bytes"},
      {"HugeArray", Array(kI32, uint64_t{1} << 62), "array \"k\" has 4611686018427387904 elements"},
      {"HugeTextArray", Array(kString, uint64_t{1} << 61), "array \"k\" has 2305843009213693952 elements"},
      {"ArrayEndsInText", Array(kString, 1).Number<uint64_t>(5).Bytes("abc"), "text of 5 bytes, but only 3 are left"},
      {"NestedArray", Array(kArray, 1).Data(64), "elements of type 9"},
      {"ArrayOfUnknown", Array(77, 1).Data(64), "elements of type 77"},
      {"SameKeyTwice",
       RawGguf().Header(0, 2).Key("k", GgufType::kU8).Number<uint8_t>(1).Key("k", GgufType::kU8).Number<uint8_t>(1),
       "value \"k\" appears twice"},
      {"AlignmentZero", Value("general.alignment", GgufType::kU32).Number<uint32_t>(0), "general.alignment is 0"},
      {"AlignmentOdd", Value("general.alignment", GgufType::kU32).Number<uint32_t>(24), "general.alignment is 24"},
      {"AlignmentText", Value("general.alignment", GgufType::kString).Text("32"), "general.alignment has type string"},
  };
}

std::vector<Damage> TensorDamage() {
  const int64_t huge = int64_t{1} << 40;
  return {
      {"NoName", Tensor("", {4}, kF32, 0), "name of tensor 0 has 0 bytes"},
      {"LongName", Tensor(std::string(300, 'x'), {4}, kF32, 0), "name of tensor 0 has 300 bytes"},
      {"NoDimensions", Tensor("t", {}, kF32, 0), "has 0 dimensions"},
      {"FiveDimensions", Tensor("t", {1, 1, 1, 1, 1}, kF32, 0), "has 5 dimensions"},
      {"ZeroDimension", Tensor("t", {4, 0}, kF32, 0), "has 0 as dimension 1"},
      {"NegativeDimension", Tensor("t", {-4}, kF32, 0), "has -4 as dimension 0"},
      {"Overflow", Tensor("t", {huge, huge}, kF32, 0), "has 1099511627776 as dimension 1"},
      {"LargerThanFile", Tensor("t", {64, 2}, kF32, 0), "takes 512 bytes from offset 0"},
      {"OffsetBeyondFile", Tensor("t", {4}, kF32, 1 << 20), "from offset 1048576"},
      {"OffsetOverflow", Tensor("t", {8}, kF32, ~uint64_t{31}), "from offset 18446744073709551584"},
      {"OffsetNotAligned", Tensor("t", {4}, kF32, 4), "has offset 4, expected a multiple of 32"},
      {"UnknownType", Tensor("t", {4}, 1000, 0), "has type 1000 (unknown)"},
      {"NegativeType", Tensor("t", {4}, ~0U, 0), "has type 4294967295"},
      {"RemovedType", Tensor("t", {32}, 4, 0), "has type 4"},
      {"TypeWithoutFloats", Tensor("t", {4}, 26, 0), "has type 26 (i32)"},
      {"PartOfABlock", Tensor("t", {40}, kQ8, 0), "rows of 40 values, expected a multiple of 32"},
      {"SameTensorTwice", RawGguf().Header(2, 0).Tensor("t", {4}, kF32, 0).Tensor("t", {4}, kF32, 32).Data(64),
       "tensor \"t\" appears twice"},
      {"NoData", RawGguf().Header(1, 0).Tensor("t", {4}, kF32, 0), "ends inside the padding"},
  };
}

class GgufDamageTest : public ::testing::TestWithParam<Damage> {};

TEST_P(GgufDamageTest, IsAnErrorThatNamesFileFieldAndValue) {
  const auto file = GetParam().bytes.Parse();
  ASSERT_FALSE(file.ok());
  EXPECT_EQ(file.error().message.rfind("raw.gguf: ", 0), 0U) << file.error().message;
  EXPECT_NE(file.error().message.find(GetParam().message), std::string::npos) << file.error().message;
}

const auto kName = [](const auto& damage) { return std::string(damage.param.name); };
INSTANTIATE_TEST_SUITE_P(Header, GgufDamageTest, ::testing::ValuesIn(HeaderDamage()), kName);
INSTANTIATE_TEST_SUITE_P(Values, GgufDamageTest, ::testing::ValuesIn(ValueDamage()), kName);
INSTANTIATE_TEST_SUITE_P(Tensors, GgufDamageTest, ::testing::ValuesIn(TensorDamage()), kName);

}  // namespace
}  // namespace ltri
