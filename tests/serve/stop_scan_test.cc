#include "serve/stop_scan.h"

#include <gtest/gtest.h>

namespace ltri {
namespace {

TEST(StopScanTest, HoldsBackWhatMayBecomeAStop) {
  StopScan scan({"END", "\n\n"});
  EXPECT_EQ(scan.Push("one E"), "one ");
  EXPECT_EQ(scan.Push("N"), "");
  EXPECT_EQ(scan.Push("d \n"), "ENd ");
  EXPECT_EQ(scan.Push("x"), "\nx");
  EXPECT_EQ(scan.Push("EN"), "");
  EXPECT_EQ(scan.Push("DING"), "");
  EXPECT_TRUE(scan.stopped());
  EXPECT_EQ(scan.Push("more"), "");
}

TEST(StopScanTest, TheFirstOfTwoCounts) {
  StopScan scan({"late", "b"});
  EXPECT_EQ(scan.Push("a b late"), "a ");
  EXPECT_TRUE(scan.stopped());
}

TEST(StopScanTest, TheEndGivesBackWhatWasHeld) {
  StopScan scan({"stop"});
  EXPECT_EQ(scan.Push("a sto"), "a ");
  EXPECT_EQ(scan.Finish(), "sto");
  EXPECT_FALSE(scan.stopped());
}

TEST(StopScanTest, WithoutStopsAllGoesOut) {
  StopScan scan({});
  EXPECT_EQ(scan.Push("text"), "text");
}

}  // namespace
}  // namespace ltri
