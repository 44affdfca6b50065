#include "weir/base/zone_name.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

TEST(ZoneName, IsOneOfTheListAndWrittenInOneWay) {
  for (const char* name :
       {"UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+12", "America/Port-au-Prince"})
    EXPECT_TRUE(is_known_zone(name)) << name;
  // Well formed, but none.
  for (const char* name : {"Europe", "Mars/Olympus_Mons", "Europe/Berlin2"}) {
    EXPECT_TRUE(looks_like_zone(name)) << name;
    EXPECT_FALSE(is_known_zone(name)) << name;
  }
  for (const char* name : {"", "/", "/etc/localtime", "../../etc/passwd", "Europe/../UTC", "Europe//Berlin", "Europe/",
                           "posix/UTC", "right/UTC", "Fixed/UTC+01:00:00", "localtime", "posixrules", "leapseconds",
                           "zone.tab", "Europe/Berlin\n", "Europe/Berlin'"})
    EXPECT_FALSE(looks_like_zone(name)) << name;
  EXPECT_FALSE(looks_like_zone(std::string_view("UTC\0", 4)));
}

}  // namespace
}  // namespace weir
