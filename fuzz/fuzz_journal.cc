// libraries: weir_journal
//
// Arbitrary bytes as the newest segment of a journal (first byte 0), as a sealed one before it (1), as a MANIFEST (2),
// or as a payload (3). Opening, reading, verifying must end, take bounded memory, and lose nothing that is whole: the
// record of the other segment stays readable whatever the bytes are.
#include <cstdlib>
#include <string>

#include "weir/base/check.h"
#include "weir/base/logging.h"
#include "weir/base/testing/fake_files.h"
#include "weir/journal/inspect.h"
#include "weir/journal/open.h"
#include "weir/journal/segmented/codec.h"
#include "weir/journal/segmented/format.h"
#include "weir/journal/segmented/index.h"
#include "weir/journal/segmented/manifest.h"

namespace {

using namespace weir;
using namespace weir::journal;
namespace seg = weir::journal::segmented;

constexpr char kUuid[] = "0123456789abcdef";

std::string segment_of(Offset base, const std::string& text, bool sealed) {
  seg::SegmentHeader header;
  header.uuid = kUuid;
  header.base = base;
  header.epoch = 1;
  header.created_at = 1;
  header.epochs = {{1, 0}};
  std::string bytes = seg::encode(header);
  const uint32_t tag = seg::tag_of(kUuid, Partition::live);
  Records records;
  records.add(text);
  seg::FrameHeader frame;
  frame.base = base;
  frame.count = 1;
  frame.epoch = 1;
  frame.appended_at = 1;
  frame.durable_upto = base;
  frame.payload_bytes = frame.inflated_bytes = static_cast<uint32_t>(records.bytes().size());
  frame.payload_crc = crc32c(records.bytes());
  char head[seg::kFrameHeaderBytes];
  seg::encode(frame, tag, head);
  bytes.append(head, sizeof head).append(records.bytes());
  bytes.resize(seg::aligned(bytes.size()));
  if (!sealed) return bytes;
  seg::Footer footer;
  footer.frames = 1;
  footer.end = base + 1;
  footer.position = bytes.size();
  footer.last_crc = frame.crc;
  footer.hash = std::string(seg::kHashBytes, '\0');
  return bytes + seg::encode(footer, tag);
}

std::string partition_manifest(Partition partition) {
  seg::PartitionManifest manifest;
  manifest.uuid = kUuid;
  manifest.partition = partition;
  manifest.epochs = {{1, 0}};
  return seg::encode(manifest);
}

void open_and_read(weir::testing::FakeFiles& files, const char* must_have) {
  (void)inspect(files, "j");
  (void)verify(files, "j");
  (void)export_records(files, "j", Partition::live, {}, [](const ExportedRecord&) { return true; });
  ManualClock clock(1'790'000'000'000);
  metrics::Registry registry;
  Options options;
  options.segment_bytes = 16 * KiB;
  options.free_percent_min = 0;
  auto opened = open(files, clock, registry, "j", options);
  if (!opened) return;
  const Offset end = (*opened)->info(Partition::live).end;
  auto reader = (*opened)->reader(Partition::live);
  bool found = false;
  int errors = 0;
  for (Offset at = 0; at < end;) {
    auto batch = reader->read(at, 1 * MiB, std::chrono::milliseconds(0));
    if (!batch) {
      WEIR_CHECK(++errors < 10'000);
      continue;
    }
    for (const Record& record : batch->records) found = found || (must_have != nullptr && record.bytes == must_have);
    if (batch->next <= at) break;
    at = batch->next;
  }
  WEIR_CHECK(found || must_have == nullptr);
  Records more;
  more.add("one more");
  auto appended =
      append_and_wait((*opened)->writer(Partition::live), std::move(more), clock.steady() + std::chrono::hours(1));
  WEIR_CHECK(appended && appended->first >= end);
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const bool quiet = [] {
    if (std::getenv("WEIR_FUZZ_LOG") == nullptr) log::configure(log::Level::critical, log::Format::text);
    return true;
  }();
  (void)quiet;
  if (size == 0) return 0;
  std::string bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] % 4 == 3) {
    std::string out;
    for (seg::Codec codec : {seg::Codec::zstd, seg::Codec::lz4})
      (void)seg::inflate(codec, bytes, bytes.size() * 4 % seg::kPayloadBytesMax, out);
    std::vector<Record> records;
    (void)seg::split_records(bytes, 0, static_cast<uint32_t>(bytes.size() / 8), records);
    (void)seg::Index::decode(bytes, 0, 0, std::string(seg::kHashBytes, '\0'));
    (void)seg::decode_segment_header(bytes);
    return 0;
  }
  weir::testing::FakeFiles files;
  WEIR_CHECK(files.make_directory("j") && files.make_directory("j/live") && files.make_directory("j/bulk"));
  files.put("j/MANIFEST", seg::encode(seg::JournalManifest{kUuid, {Partition::live, Partition::bulk}}));
  files.put("j/bulk/MANIFEST", partition_manifest(Partition::bulk));
  seg::SegmentHeader bulk;
  bulk.uuid = kUuid;
  bulk.partition = Partition::bulk;
  bulk.epoch = 1;
  bulk.epochs = {{1, 0}};
  files.put("j/bulk/" + seg::segment_name(0), seg::encode(bulk));
  files.put("j/live/MANIFEST", partition_manifest(Partition::live));
  switch (data[0] % 4) {
    case 0:
      files.put("j/live/" + seg::segment_name(0), segment_of(0, "kept", true));
      files.put("j/live/" + seg::segment_name(1), bytes);
      open_and_read(files, "kept");
      break;
    case 1:
      files.put("j/live/" + seg::segment_name(0), bytes);
      files.put("j/live/" + seg::segment_name(9), segment_of(9, "kept", false));
      open_and_read(files, "kept");
      break;
    default:
      files.put("j/live/MANIFEST", bytes);
      files.put("j/live/" + seg::segment_name(0), segment_of(0, "kept", false));
      // One that is whole is obeyed, also when it gives up or declares damaged what is there.
      open_and_read(files, seg::decode_partition_manifest(bytes) ? nullptr : "kept");
      break;
  }
  return 0;
}
