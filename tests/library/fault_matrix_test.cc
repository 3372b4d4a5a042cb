// Every operation of a small store fails once in every way; what was acknowledged must be there afterwards, whole.
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "library/fake_document.h"
#include "library/remove.h"
#include "library/verify.h"
#include "support/fault_disk.h"
#include "support/temporary_folder.h"

namespace ltri {
namespace {

using namespace ltri::testing;  // NOLINT(google-build-using-namespace)

constexpr int64_t kRollBytes = 80000;  // a new segment file at every other step

// What the program was told is committed: documents and their steps. `removed` were asked to go.
struct Acknowledged {
  std::map<std::string, int64_t> steps;
  std::vector<std::string> removing;
};

Status Write(Store& store, const std::string& name, int64_t steps, Acknowledged& acknowledged) {
  const bool is_new = acknowledged.steps[name] == 0;
  Result<std::unique_ptr<DocumentWriter>> writer = is_new ? DocumentWriter::Create(store, FakeRecord(name), kRollBytes)
                                                          : DocumentWriter::Resume(store, name, kRollBytes);
  if (!writer.ok()) return writer.error();
  std::vector<int64_t> addresses = FakeAddresses((*writer)->TakeSession());
  for (int64_t i = 0; i < steps; ++i) {
    if (Status status = FakeStep(**writer, addresses); !status.ok()) return status;
    ++acknowledged.steps[name];
  }
  return {};
}

// Two runs of a program: what it does until its first error.
Status Work(FileSystem& files, const std::string& folder, Acknowledged& acknowledged) {
  for (const std::string name : {"first", "second"}) {
    Result<std::unique_ptr<Store>> store = Store::Open(files, folder, Access::kWrite);
    if (!store.ok()) return store.error();
    if (Status status = Write(**store, name, 3, acknowledged); !status.ok()) return status;
    if (Status status = Write(**store, "first", 2, acknowledged); !status.ok()) return status;
  }
  Result<std::unique_ptr<Store>> store = Store::Open(files, folder, Access::kWrite);
  if (!store.ok()) return store.error();
  acknowledged.removing.emplace_back("second");
  return RemoveDocument(**store, "second");
}

// Empty when all is as it must be.
std::string Check(const std::string& folder, const Acknowledged& acknowledged) {
  FaultDisk disk(folder);  // one that works, without the wait for a real one
  FaultFileSystem files(disk);
  Result<std::unique_ptr<Store>> store = Store::Open(files, folder, Access::kWrite);
  if (!store.ok()) return "does not open: " + store.error().message;
  const Result<VerifyReport> report = VerifyStore(**store, {}, {});
  if (!report.ok()) return report.error().message;
  if (!report->damage.empty()) return "verify: " + report->damage.front().what;
  for (const auto& [name, steps] : acknowledged.steps) {
    const Result<int64_t> found = CheckFakeDocument(**store, name);
    const bool may_be_gone = steps == 0 || !acknowledged.removing.empty();
    if (!found.ok() && found.error().code == ErrorCode::kNotFound && may_be_gone) continue;
    if (!found.ok()) return name + ": " + found.error().message;
    if (*found != steps && *found != steps + 1) {
      return name + ": has " + std::to_string(*found) + " steps, but " + std::to_string(steps) + " were committed";
    }
  }
  // And it goes on.
  Acknowledged more;
  if (Status status = Write(**store, "third", 1, more); !status.ok()) return "cannot go on: " + status.error().message;
  return "";
}

// How many operations the work takes when nothing fails.
int64_t CountOperations() {
  const TemporaryFolder folder;
  FaultDisk disk(folder.path());
  FaultFileSystem files(disk);
  Acknowledged acknowledged;
  const Status status = Work(files, folder / "library", acknowledged);
  EXPECT_TRUE(status.ok()) << status.error().message;
  EXPECT_EQ(Check(folder / "library", acknowledged), "");
  return disk.operations();
}

class FaultMatrixTest : public ::testing::TestWithParam<Fault> {};

TEST_P(FaultMatrixTest, WhateverOperationFails) {
  const int64_t operations = CountOperations();
  int64_t failures = 0;
  for (int64_t operation = 0; operation < operations; ++operation) {
    const TemporaryFolder folder;
    FaultDisk disk(folder.path());
    Acknowledged acknowledged;
    {
      FaultFileSystem files(disk);
      disk.FailAt(operation, GetParam());
      (void)Work(files, folder / "library", acknowledged);
    }
    disk.Restart();
    const std::string wrong = Check(folder / "library", acknowledged);
    if (wrong.empty()) continue;
    if (++failures <= 10) ADD_FAILURE() << "operation " << operation << ": " << wrong;
  }
  std::printf("fault matrix, %s: %ld cases, %ld failures\n", FaultName(GetParam()), static_cast<long>(operations),
              static_cast<long>(failures));
}

INSTANTIATE_TEST_SUITE_P(Faults, FaultMatrixTest, ::testing::ValuesIn(kAllFaults), [](const auto& test) {
  std::string name = FaultName(test.param);
  std::erase(name, ' ');
  return name;
});

}  // namespace
}  // namespace ltri
