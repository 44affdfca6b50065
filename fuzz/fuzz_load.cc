// libraries: weir_load
//
// Arbitrary bytes as a file of outcomes or dead letters (first byte, modulo 3: 0), as a file of ids (1), or as the
// MANIFEST of ids (2). From 128 on, checksums are made right first, so that what lies behind them is reached. Opening
// and reading must end and take bounded memory; what is decided afterwards stays, and an id judged afterwards is known.
#include <algorithm>
#include <cstdlib>
#include <string>

#include "weir/base/bytes.h"
#include "weir/base/check.h"
#include "weir/base/logging.h"
#include "weir/base/testing/fake_files.h"
#include "weir/load/dedup.h"
#include "weir/load/id_run.h"
#include "weir/load/outcomes.h"

namespace {

using namespace weir;
using namespace weir::load;
using weir::testing::FakeFiles;

const std::string kUuid = "0123456789abcdef";

void put_crc(std::string& bytes, size_t at, std::string_view of) { store_le(bytes.data() + at, crc32c(of)); }

// docs/formats/outcomes.md
void mend_log(std::string& bytes) {
  constexpr size_t kHead = 16;
  for (size_t at = 24; at + kHead <= bytes.size();) {
    const size_t size = std::min<size_t>(load_le<uint32_t>(bytes.data() + at + 4), bytes.size() - at - kHead);
    const std::string_view all = bytes;
    const uint32_t crc = crc32c(all.substr(at + kHead, size), crc32c(all.substr(at, 12)));
    store_le(bytes.data() + at + 12, crc);
    at += kHead + size;
  }
}

// docs/formats/dedup.md
void mend_run(std::string& bytes) {
  constexpr size_t kEnd = 52;
  if (bytes.size() < kEnd) return;
  const size_t end = bytes.size() - kEnd;
  const std::string_view all = bytes;
  for (size_t at = 0; at + IdRun::kPageBytes <= end; at += IdRun::kPageBytes)
    put_crc(bytes, at + IdRun::kPageBytes - 4, all.substr(at, IdRun::kPageBytes - 4));
  const uint64_t pages = std::min<uint64_t>(load_le<uint64_t>(bytes.data() + end + 24), end / IdRun::kPageBytes);
  const uint64_t words = std::min<uint64_t>(load_le<uint64_t>(bytes.data() + end + 32), end / 8);
  const size_t fences = pages * IdRun::kPageBytes;
  const size_t filter = std::max<size_t>(fences, end - std::min<size_t>(end, words * 8));
  put_crc(bytes, end + 40, all.substr(fences, filter - fences));
  put_crc(bytes, end + 44, all.substr(filter, end - filter));
  put_crc(bytes, end + 48, all.substr(end, 48));
}

event::Event event_of(std::string_view id) {
  event::Event event;
  event.project_id = ProjectId{1};
  event.id = id;
  event.id_given = true;
  event.name = "e";
  event.received_at = 1'790'000'000'000;
  return event;
}

void look_at_log(FakeFiles& files, const std::string& bytes) {
  WEIR_CHECK(files.make_directory("outcomes").has_value());
  files.put("outcomes/live-00000001.log", bytes);
  files.put("outcomes/live-dead-00000001.log", bytes);
  auto outcomes = Outcomes::open(files, "outcomes", kUuid, journal::Partition::live);
  WEIR_CHECK(outcomes.has_value());
  (void)(*outcomes)->settled(0, UINT64_MAX);
  if (auto letters = (*outcomes)->dead_letters()) WEIR_CHECK(letters->size() <= bytes.size());
  const Outcomes::Decision decision{77, Outcome::duplicate};
  WEIR_CHECK((*outcomes)->decide({&decision, 1}).has_value());
  outcomes->reset();
  outcomes = Outcomes::open(files, "outcomes", kUuid, journal::Partition::live);
  WEIR_CHECK(outcomes.has_value() && (*outcomes)->of(77).value() == Outcome::duplicate);
}

void look_at_run(FakeFiles& files, const std::string& bytes) {
  files.put("run", bytes);
  auto run = IdRun::open(files, "run", true);
  if (!run) return;
  WEIR_CHECK((*run)->count() <= bytes.size() / sizeof(IdEntry));
  WEIR_CHECK((*run)->memory_bytes() <= bytes.size());
  IdRun::Cursor cursor(**run);
  uint64_t entries = 0;
  for (;;) {
    auto next = cursor.next();
    if (!next || *next == nullptr) break;
    (void)(*run)->find(**next);
    ++entries;
  }
  WEIR_CHECK(entries <= (*run)->count());
}

void look_at_manifest(FakeFiles& files, const std::string& bytes) {
  WEIR_CHECK(files.make_directory("dedup").has_value());
  auto writer = IdRunWriter::create(files, "dedup/ids-00000001", 10, 1 * MiB);
  WEIR_CHECK(writer.has_value() && (*writer)->finish().has_value());
  files.put("dedup/MANIFEST", bytes);
  auto dedup = Dedup::open(files, "dedup", kUuid, {.recent_max = 4});
  WEIR_CHECK(dedup.has_value());
  using Verdict = Dedup::Verdict;
  WEIR_CHECK((*dedup)->judge(event_of("a"), journal::Partition::live, 1).value() == Verdict::first);
  WEIR_CHECK((*dedup)->judge(event_of("a"), journal::Partition::live, 2).value() == Verdict::duplicate);
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const bool quiet = [] {
    log::configure(log::Level::critical, log::Format::text);
    return true;
  }();
  (void)quiet;
  if (size == 0) return 0;
  std::string bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const bool mend = data[0] >= 128;
  FakeFiles files;
  switch (data[0] % 3) {
    case 0:
      if (mend) mend_log(bytes);
      look_at_log(files, bytes);
      break;
    case 1:
      if (mend) mend_run(bytes);
      look_at_run(files, bytes);
      break;
    default:
      if (mend && bytes.size() >= 4)
        put_crc(bytes, bytes.size() - 4, std::string_view(bytes).substr(0, bytes.size() - 4));
      look_at_manifest(files, bytes);
  }
  return 0;
}
