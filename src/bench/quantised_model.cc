#include "bench/quantised_model.h"

#include <fmt/format.h>
#include <llama.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <system_error>

#include "text/llama_log.h"
#include "weights/model_file.h"

namespace ltri {
namespace {

namespace fs = std::filesystem;

struct WeightType {
  const char* name;
  llama_ftype type;
};

constexpr WeightType kTypes[] = {
    {"f32", LLAMA_FTYPE_ALL_F32},          {"f16", LLAMA_FTYPE_MOSTLY_F16},       {"bf16", LLAMA_FTYPE_MOSTLY_BF16},
    {"q4_0", LLAMA_FTYPE_MOSTLY_Q4_0},     {"q4_1", LLAMA_FTYPE_MOSTLY_Q4_1},     {"q5_0", LLAMA_FTYPE_MOSTLY_Q5_0},
    {"q5_1", LLAMA_FTYPE_MOSTLY_Q5_1},     {"q8_0", LLAMA_FTYPE_MOSTLY_Q8_0},     {"q3_k_m", LLAMA_FTYPE_MOSTLY_Q3_K_M},
    {"q4_k_s", LLAMA_FTYPE_MOSTLY_Q4_K_S}, {"q4_k_m", LLAMA_FTYPE_MOSTLY_Q4_K_M}, {"q5_k_m", LLAMA_FTYPE_MOSTLY_Q5_K_M},
    {"q6_k", LLAMA_FTYPE_MOSTLY_Q6_K},
};

const WeightType* FindType(const std::string& name) {
  for (const WeightType& type : kTypes) {
    if (name == type.name) return &type;
  }
  return nullptr;
}

Result<fs::path> CacheFolder() {
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return fs::path(value == nullptr ? "" : value);
  };
  fs::path folder = variable("LTRI_CACHE_DIR");
  if (folder.empty() && !variable("XDG_CACHE_HOME").empty()) folder = variable("XDG_CACHE_HOME") / "ltri";
  if (folder.empty() && !variable("HOME").empty()) folder = variable("HOME") / ".cache" / "ltri";
  if (folder.empty()) return Error{ErrorCode::kIo, "no folder for other weight types: set LTRI_CACHE_DIR (or HOME)"};
  folder /= "bench";
  std::error_code error;
  fs::create_directories(folder, error);
  if (!error) return folder;
  return Error{ErrorCode::kIo, fmt::format("cannot make the folder '{}': {}; name another in LTRI_CACHE_DIR",
                                           folder.string(), error.message())};
}

// Another file under the same path has another size or time, and so another name here.
Result<std::string> CachedName(const std::string& path, const std::string& type) {
  std::error_code error;
  const fs::path absolute = fs::absolute(path, error);
  const auto size = fs::file_size(path, error);
  if (error) return Error{ErrorCode::kIo, fmt::format("{}: {}", path, error.message())};
  const auto time = fs::last_write_time(path, error).time_since_epoch().count();
  const std::string key = fmt::format("{} {} {}", absolute.string(), size, time);
  return fmt::format("{}-{:016x}-{}.gguf", absolute.stem().string(), std::hash<std::string>()(key), type);
}

Status Quantise(const std::string& from, const fs::path& to, const WeightType& type, int threads) {
  const LlamaErrors errors;
  llama_model_quantize_params params = llama_model_quantize_default_params();
  params.nthread = threads;
  params.ftype = type.type;
  params.allow_requantize = true;
  if (llama_model_quantize(from.c_str(), to.c_str(), &params) == 0) return {};
  return Error{ErrorCode::kUnsupported, fmt::format("llama.cpp cannot turn {} into {}: {}", from, type.name,
                                                    errors.Text("it does not say why"))};
}

}  // namespace

std::vector<std::string> WeightTypeNames() {
  std::vector<std::string> names;
  for (const WeightType& type : kTypes) names.emplace_back(type.name);
  return names;
}

Result<std::string> WeightTypeOf(const std::string& path) {
  const Result<GgufFile> file = OpenModelFile(path);
  if (!file.ok()) return file.error();
  const Result<int64_t> number = file->Integer("general.file_type");
  for (const WeightType& type : kTypes) {
    if (number.ok() && *number == type.type) return std::string(type.name);
  }
  return std::string("unknown");
}

Result<std::string> ModelOfType(const std::string& path, const std::string& type, int threads) {
  const WeightType* wanted = FindType(type);
  if (wanted == nullptr) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("the weight type '{}' is none of {}", type, fmt::join(WeightTypeNames(), ", "))};
  }
  const Result<std::string> own = WeightTypeOf(path);
  if (!own.ok()) return own.error();
  if (*own == type) return path;
  if (fs::is_directory(path)) {
    return Error{ErrorCode::kUnsupported,
                 fmt::format("{} is a folder; other weight types are made of GGUF files only", path)};
  }
  const Result<fs::path> folder = CacheFolder();
  if (!folder.ok()) return folder.error();
  const Result<std::string> name = CachedName(path, type);
  if (!name.ok()) return name.error();
  const fs::path made = *folder / *name;
  std::error_code error;
  if (fs::is_regular_file(made, error)) return made.string();
  // Another process may make the same file: each writes its own, and the last to be done replaces an equal one.
  const fs::path draft = made.string() + fmt::format(".{}", getpid());
  Status status = Quantise(path, draft, *wanted, threads);
  if (status.ok()) {
    fs::rename(draft, made, error);
    if (!error) return made.string();
    status = Error{ErrorCode::kIo, fmt::format("cannot write {}: {}", made.string(), error.message())};
  }
  fs::remove(draft, error);
  return status.error();
}

}  // namespace ltri
