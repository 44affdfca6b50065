#include "weir/load/dedup.h"

#include <fmt/format.h>
#include <sodium.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <optional>

#include "weir/base/bytes.h"
#include "weir/base/check.h"
#include "weir/base/logging.h"
#include "weir/base/random.h"
#include "weir/event/record.h"

namespace weir::load {

namespace {
constexpr std::string_view kMagic = "weirdup1";
constexpr size_t kUuidBytes = 16;
constexpr size_t kSecretBytes = crypto_shorthash_siphashx24_KEYBYTES;
constexpr std::string_view kManifest = "MANIFEST";
constexpr uint64_t kReadBytes = 4 * MiB;
constexpr uint32_t kWindowSeconds = Dedup::kWindow / 1000;
// Ids are kept this much longer than they count, for records that wait in the journal while the store is away.
constexpr uint32_t kKeptSeconds = 2 * kWindowSeconds;
// A run's place: the partition in the highest byte, the offset below it.
constexpr int kPartitionShift = 56;

Error own(Error error) {
  if (!error.message.starts_with("load: ")) error.message = "load: " + error.message;
  // Whatever is wrong with these files, the journal can make them again.
  if (error.code != ErrorCode::kOverloaded) error.code = ErrorCode::kUnavailable;
  return error;
}

Error damaged_meanwhile() { return {ErrorCode::kUnavailable, "load: dedup: a file was found damaged meanwhile"}; }

size_t index_of(journal::Partition partition) { return static_cast<size_t>(partition); }

// What the event says, without what a repetition of the request changes.
uint32_t payload_hash(const event::Event& event) {
  uint64_t hash = 0;
  // Each text under the hash of all before it: no two events share one by where their texts are cut.
  auto add = [&hash](std::string_view text) {
    hash = XXH3_64bits_withSeed(text.data(), text.size(), hash + text.size());
  };
  add(name_of(event.kind));
  for (std::string_view text : {event.name,
                                event.client_time,
                                event.user_id,
                                event.anonymous_id,
                                event.client_session_id,
                                event.url,
                                event.hostname,
                                event.path,
                                event.title,
                                event.referrer,
                                event.locale,
                                event.screen,
                                event.app_version,
                                event.properties,
                                event.set,
                                event.set_once,
                                event.groups,
                                event.revenue_amount,
                                event.revenue_currency,
                                event.extra})
    add(text);
  return static_cast<uint32_t>(hash);
}
}  // namespace

Dedup::Recent::Recent(size_t count_max) {
  size_t slots = 16;
  while (slots < 2 * count_max) slots *= 2;
  slots_.resize(slots);
}

const IdEntry* Dedup::Recent::find(const IdEntry& key) const {
  for (size_t at = key.key_low & (slots_.size() - 1);; at = (at + 1) & (slots_.size() - 1)) {
    const IdEntry& slot = slots_[at];
    if (slot.same_key(key)) return &slot;
    if (slot.key_high == 0 && slot.key_low == 0) return nullptr;
  }
}

void Dedup::Recent::put(const IdEntry& entry) {
  size_t at = entry.key_low & (slots_.size() - 1);
  while (slots_[at].key_high != 0 || slots_[at].key_low != 0) at = (at + 1) & (slots_.size() - 1);
  slots_[at] = entry;
  ++size_;
}

std::vector<IdEntry> Dedup::Recent::sorted() const {
  std::vector<IdEntry> entries;
  entries.reserve(size_);
  for (const IdEntry& slot : slots_)
    if (slot.key_high != 0 || slot.key_low != 0) entries.push_back(slot);
  std::sort(entries.begin(), entries.end(), [](const IdEntry& a, const IdEntry& b) { return a.before(b); });
  return entries;
}

void Dedup::Recent::clear() {
  std::fill(slots_.begin(), slots_.end(), IdEntry());
  size_ = 0;
}

Dedup::Dedup(FileSystem& files, std::string directory, std::string journal_uuid, Options options)
    : files_(files),
      directory_(std::move(directory)),
      journal_uuid_(std::move(journal_uuid)),
      options_(options),
      recent_(options.recent_max) {
  WEIR_CHECK(journal_uuid_.size() == kUuidBytes);
}

Result<std::unique_ptr<Dedup>> Dedup::open(FileSystem& files, std::string directory, const std::string& journal_uuid,
                                           Options options) {
  WEIR_CHECK(sodium_init() >= 0);
  if (auto made = files.make_directory(directory); !made) return own(std::move(made).error());
  std::unique_ptr<Dedup> dedup(new Dedup(files, std::move(directory), journal_uuid, options));
  // Whose failure passes is not damage: the journal may have forgotten by now what the files hold.
  constexpr int kTries = 3;
  auto loaded = dedup->load_manifest();
  for (int tries = 1; !loaded && loaded.error().code == ErrorCode::kUnavailable && tries < kTries; ++tries)
    loaded = dedup->load_manifest();
  if (!loaded) {
    if (loaded.error().code != ErrorCode::kNotFound)
      log::warning("load: dedup: {}; it is made again from the journal", loaded.error().message);
    dedup->forget_everything();
    if (auto written = dedup->write_manifest({}); !written) return own(std::move(written).error());
  }
  // Files that a kill left behind belong to nobody.
  auto names = dedup->files_.list(dedup->directory_);
  if (!names) return own(std::move(names).error());
  for (const std::string& name : *names) {
    if (name == kManifest) continue;
    const std::string path = dedup->directory_ + "/" + name;
    const bool ours = std::any_of(dedup->runs_.begin(), dedup->runs_.end(),
                                  [&](const Run& run) { return dedup->path_of(run.number) == path; });
    if (!ours)
      if (auto removed = files.remove(path); !removed) return own(std::move(removed).error());
  }
  dedup->merger_ = Thread("dedup", [d = dedup.get()] { d->merge_loop(); });
  return dedup;
}

Dedup::~Dedup() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  merger_.join();
}

std::string Dedup::path_of(uint64_t number) const { return fmt::format("{}/ids-{:08}", directory_, number); }

void Dedup::forget_everything() {
  runs_.clear();
  secret_ = random_bytes(kSecretBytes);
  covered_ = {};
  decided_ = {};
  latest_ = 0;
}

// Under mutex_. A damaged file is worth nothing: all is made again from the journal, by the next fill().
Error Dedup::failed(Error error) {
  if (error.code == ErrorCode::kCorrupt) {
    log::error("load: dedup: {}; what is known of ids is made again from the journal", error.message);
    const std::vector<Run> lost = std::move(runs_);
    forget_everything();
    recent_.clear();
    ++losses_;
    if (auto written = write_manifest({}))
      for (const Run& run : lost) (void)files_.remove(path_of(run.number));
  }
  return own(std::move(error));
}

// MANIFEST: magic, the journal's uuid, the hash's key, next number, covered position of live and of bulk, number of
// runs, their numbers, CRC of all before it.
Result<> Dedup::load_manifest() {
  auto content = read_file(files_, directory_ + "/" + std::string(kManifest), 1 * MiB);
  if (!content) return std::move(content).error();
  const std::string_view all = *content;
  constexpr size_t kFixed = kMagic.size() + kUuidBytes + kSecretBytes + 4 * sizeof(uint64_t);
  auto bad = [](std::string_view what) { return Error{ErrorCode::kCorrupt, "MANIFEST: " + std::string(what)}; };
  if (all.size() < kFixed + sizeof(uint32_t) || !all.starts_with(kMagic) ||
      crc32c(all.substr(0, all.size() - sizeof(uint32_t))) != load_le<uint32_t>(all.data() + all.size() - 4))
    return bad("damaged");
  if (all.substr(kMagic.size(), kUuidBytes) != journal_uuid_) return bad("it belongs to another journal");
  const char* at = all.data() + kMagic.size() + kUuidBytes;
  secret_.assign(at, kSecretBytes);
  at += kSecretBytes;
  next_number_ = load_le<uint64_t>(at);
  covered_ = {load_le<uint64_t>(at + 8), load_le<uint64_t>(at + 16)};
  decided_ = covered_;
  const uint64_t count = load_le<uint64_t>(at + 24);
  if (count != (all.size() - kFixed - sizeof(uint32_t)) / sizeof(uint64_t)) return bad("lengths that do not fit");
  std::vector<Run> runs;
  for (uint64_t i = 0; i < count; ++i) runs.push_back({load_le<uint64_t>(all.data() + kFixed + i * 8), nullptr});
  // A file that is not there is damage too: the MANIFEST has its number.
  if (auto opened = open_filters(runs); !opened)
    return opened.error().code == ErrorCode::kUnavailable ? opened : Error{ErrorCode::kCorrupt, opened.error().message};
  runs_ = std::move(runs);
  return {};
}

Result<> Dedup::write_manifest(const std::vector<Run>& runs) {
  std::string content(kMagic);
  content += journal_uuid_;
  content += secret_;
  append_le(content, next_number_);
  for (journal::Offset offset : covered_) append_le(content, offset);
  append_le(content, static_cast<uint64_t>(runs.size()));
  for (const Run& run : runs) append_le(content, run.number);
  append_le(content, crc32c(content));
  return replace_file(files_, directory_ + "/" + std::string(kManifest), content);
}

// Opens those of `runs` that are not open, with their filters as far as the memory for them goes, newest first.
Result<> Dedup::open_filters(std::vector<Run>& runs) {
  size_t used = 0;
  for (const Run& run : runs)
    if (run.ids) used += run.ids->filter_bytes();
  for (auto run = runs.rbegin(); run != runs.rend(); ++run) {
    if (run->ids) continue;
    auto opened = IdRun::open(files_, path_of(run->number), used < options_.filter_bytes_max);
    if (!opened) return std::move(opened).error();
    run->ids = *std::move(opened);
    used += run->ids->filter_bytes();
    if (used > options_.filter_bytes_max && run->ids->filter_bytes() > 0) {
      used -= run->ids->filter_bytes();
      opened = IdRun::open(files_, path_of(run->number), false);
      if (!opened) return std::move(opened).error();
      run->ids = *std::move(opened);
    }
  }
  return {};
}

IdEntry Dedup::key_of(ProjectId project, std::string_view id) const {
  std::array<unsigned char, 8 + 256> near;
  std::string far;
  const size_t size = sizeof(uint64_t) + id.size();
  unsigned char* text = near.data();
  if (size > near.size()) {
    far.resize(size);
    text = reinterpret_cast<unsigned char*>(far.data());
  }
  const uint64_t number_of_project = number(project);
  std::memcpy(text, &number_of_project, sizeof number_of_project);
  std::memcpy(text + sizeof number_of_project, id.data(), id.size());
  std::array<unsigned char, crypto_shorthash_siphashx24_BYTES> hash;
  crypto_shorthash_siphashx24(hash.data(), text, size, reinterpret_cast<const unsigned char*>(secret_.data()));
  IdEntry entry;
  std::memcpy(&entry.key_high, hash.data(), sizeof entry.key_high);
  std::memcpy(&entry.key_low, hash.data() + sizeof entry.key_high, sizeof entry.key_low);
  if (entry.key_high == 0 && entry.key_low == 0) entry.key_low = 1;  // the free slot's
  return entry;
}

IdEntry Dedup::entry_of(const event::Event& event, journal::Partition partition, journal::Offset offset) const {
  IdEntry entry = key_of(event.project_id, event.id);
  entry.place = static_cast<uint64_t>(partition) << kPartitionShift | offset;
  entry.received = static_cast<uint32_t>(std::max<UnixMillis>(0, event.received_at) / 1000);
  entry.payload = payload_hash(event);
  return entry;
}

Result<std::optional<Dedup::Place>> Dedup::find(ProjectId project, std::string_view id) const {
  std::lock_guard lock(mutex_);
  const IdEntry key = key_of(project, id);
  std::optional<IdEntry> found;
  if (const IdEntry* recent = recent_.find(key)) found = *recent;
  for (auto run = runs_.rbegin(); !found && run != runs_.rend(); ++run) {
    auto older = run->ids->find(key);
    if (!older) return own(std::move(older).error());
    found = *older;
  }
  if (!found) return std::optional<Place>();
  return std::optional<Place>(Place{static_cast<journal::Partition>(found->place >> kPartitionShift),
                                    found->place & ((uint64_t{1} << kPartitionShift) - 1)});
}

namespace {
bool within_window(const IdEntry& a, const IdEntry& b) {
  return (a.received > b.received ? a.received - b.received : b.received - a.received) <= kWindowSeconds;
}
}  // namespace

// The entry that has `entry`'s id within its window; null when there is none. Under mutex_. Looks newest first: behind
// the window, an id begins anew.
Result<IdEntry*> Dedup::known(const IdEntry& entry, IdEntry& found) {
  auto counts = [&](const IdEntry& other) { return other.place == entry.place || within_window(other, entry); };
  if (IdEntry* recent = recent_.find(entry); recent != nullptr && counts(*recent)) return recent;
  for (auto run = runs_.rbegin(); run != runs_.rend(); ++run) {
    auto older = run->ids->find(entry);
    if (!older) return failed(std::move(older).error());
    if (*older && counts(**older)) {
      found = **older;
      return &found;
    }
  }
  return static_cast<IdEntry*>(nullptr);
}

// Under mutex_. Makes a file of what is in memory when it is full.
Result<> Dedup::remember(const IdEntry& entry) {
  if (recent_.size() >= options_.recent_max)
    if (auto flushed = flush(); !flushed) return flushed;
  // Only an entry beyond the window can be there: the id begins anew. Of the two the later counts on.
  if (IdEntry* recent = recent_.find(entry))
    *recent = recent->received > entry.received ? *recent : entry;
  else
    recent_.put(entry);
  latest_ = entry.received;
  return {};
}

Result<Dedup::Verdict> Dedup::judge(const event::Event& event, journal::Partition partition, journal::Offset offset) {
  std::lock_guard lock(mutex_);
  if (losses_ != made_good_)
    return Error{ErrorCode::kUnavailable, "load: dedup: what was known of ids is to be made again"};
  auto verdict = judge_known(entry_of(event, partition, offset));
  auto& under_way = under_way_[index_of(partition)];
  if (verdict && *verdict == Verdict::first) under_way = std::max(under_way, offset + 1);
  return verdict;
}

void Dedup::settled_below(journal::Partition partition, journal::Offset offset) {
  std::lock_guard lock(mutex_);
  if (auto& under_way = under_way_[index_of(partition)]; under_way <= offset) under_way = 0;
}

// Under mutex_.
Result<Dedup::Verdict> Dedup::judge_known(const IdEntry& entry) {
  IdEntry found;
  auto first = known(entry, found);
  if (!first) return std::move(first).error();
  if (*first == nullptr) {
    if (auto remembered = remember(entry); !remembered) return std::move(remembered).error();
    return Verdict::first;
  }
  if ((*first)->place == entry.place) return Verdict::first;
  return (*first)->payload == entry.payload ? Verdict::duplicate : Verdict::conflict;
}

void Dedup::decided_below(journal::Partition partition, journal::Offset offset) {
  std::lock_guard lock(mutex_);
  if (losses_ != made_good_) return;
  auto& decided = decided_[index_of(partition)];
  decided = std::max(decided, offset);
}

// Under mutex_.
Result<> Dedup::flush() {
  if (recent_.size() == 0 && covered_ == decided_) return {};
  std::vector<Run> runs = runs_;
  if (recent_.size() > 0) {
    const uint64_t number = next_number_++;
    auto writer = IdRunWriter::create(files_, path_of(number), recent_.size(), options_.filter_bytes_max);
    if (!writer) return own(std::move(writer).error());
    for (const IdEntry& entry : recent_.sorted())
      if (auto added = (*writer)->add(entry); !added) return own(std::move(added).error());
    if (auto done = (*writer)->finish(); !done) return own(std::move(done).error());
    if (auto synced = files_.sync_directory(directory_); !synced) return own(std::move(synced).error());
    runs.push_back({number, nullptr});
    if (auto opened = open_filters(runs); !opened) return own(std::move(opened).error());
  }
  const auto before = std::exchange(covered_, decided_);
  if (auto written = write_manifest(runs); !written) {
    covered_ = before;
    return own(std::move(written).error());
  }
  runs_ = std::move(runs);
  recent_.clear();
  changed_.notify_all();
  return {};
}

journal::Offset Dedup::safe_below(journal::Partition partition, UnixMillis now) {
  std::lock_guard lock(mutex_);
  if (recent_.size() == 0) return decided_[index_of(partition)];
  if (flush_at_ == 0) flush_at_ = now + kMillisPerDay;
  if (now >= flush_at_) {
    flush_at_ = now + kMillisPerDay;
    if (auto flushed = flush(); !flushed) log::warning("{}", flushed.error().message);
  }
  return covered_[index_of(partition)];
}

Result<> Dedup::checkpoint() {
  std::lock_guard lock(mutex_);
  return flush();
}

void Dedup::begins_at(journal::Partition partition, journal::Offset end) {
  std::lock_guard lock(fill_mutex_);
  begins_[index_of(partition)] = end;
}

Result<> Dedup::fill(const Sources& sources, UnixMillis now, const std::function<bool()>& stop) {
  std::lock_guard fill_lock(fill_mutex_);
  uint64_t losses = 0;
  {
    std::lock_guard lock(mutex_);
    if (filled_ && losses_ == made_good_) return {};
    if (under_way_ != decltype(under_way_){})
      return Error{ErrorCode::kUnavailable, "load: dedup: what was judged before is on its way to the store"};
    losses = losses_;
  }
  constexpr std::array kBoth = {journal::Partition::live, journal::Partition::bulk};
  std::array<Range, 2> undecided;
  for (journal::Partition partition : kBoth) {
    const journal::PartitionInfo info = sources.journal.info(partition);
    auto oldest = sources.journal.offset_at(partition, now - UnixMillis{kKeptSeconds} * 1000);
    if (!oldest) return own(std::move(oldest).error());
    // What was appended since is judged in its turn; when all is to be made again, some of it was.
    const journal::Offset end = filled_ ? info.end : std::min(info.end, begins_[index_of(partition)]);
    std::lock_guard lock(mutex_);
    undecided[index_of(partition)] = {std::max({*oldest, decided_[index_of(partition)], info.begin}), end};
  }
  // Within a partition the first one is the first. Between two of them it was whoever came first, and only its row
  // tells which that was.
  const bool between = std::all_of(undecided.begin(), undecided.end(), [](Range r) { return r.first < r.next; });
  for (Which which : {Which::stored, Which::all}) {
    if (which == Which::stored && !between) continue;
    for (journal::Partition partition : kBoth) {
      auto judged = judge_again(sources, partition, undecided[index_of(partition)], which, losses, stop);
      if (!judged) return own(std::move(judged).error());
    }
  }
  filled_ = true;
  std::lock_guard lock(mutex_);
  made_good_ = losses;
  if (losses_ != losses) return damaged_meanwhile();
  return {};
}

Result<> Dedup::judge_again(const Sources& sources, journal::Partition partition, Range range, Which which,
                            uint64_t losses, const std::function<bool()>& stop) {
  if (range.first >= range.next) return {};
  auto settled = sources.outcomes[index_of(partition)]->settled(range.first, range.next);
  if (!settled) return std::move(settled).error();
  auto hole = settled->all.begin();
  auto reader = sources.journal.reader(partition);
  event::RecordParser parser;
  uint64_t records = 0;
  for (journal::Offset at = range.first; at < range.next;) {
    if (stop()) return Error{ErrorCode::kUnavailable, "load: stopping"};
    auto batch = reader->read(at, kReadBytes, std::chrono::milliseconds(0));
    if (!batch) {
      // Damage is listed by then; what it hit has no row to come either.
      if (batch.error().code == ErrorCode::kCorrupt) continue;
      return std::move(batch).error();
    }
    if (batch->next <= at) break;
    std::vector<uint64_t> rows;
    if (which == Which::stored) {
      auto found = sources.stored(partition, at, batch->next);
      if (!found) return std::move(found).error();
      rows = *std::move(found);
    }
    for (const journal::Record& record : batch->records) {
      if (record.offset >= range.next) break;
      while (hole != settled->all.end() && hole->next <= record.offset) ++hole;
      if (hole != settled->all.end() && hole->first <= record.offset) continue;  // decided: it is not the first
      if (which == Which::stored && !std::binary_search(rows.begin(), rows.end(), record.offset)) continue;
      auto event = parser.parse(record.bytes);
      if (!event || !event->id_given) continue;
      ++records;
      std::lock_guard lock(mutex_);
      if (losses_ != losses) return damaged_meanwhile();
      auto judged = judge_known(entry_of(*event, partition, record.offset));
      if (!judged) return std::move(judged).error();
    }
    at = std::min(batch->next, range.next);
    if (which == Which::stored) continue;
    std::lock_guard lock(mutex_);
    if (losses_ != losses) return damaged_meanwhile();
    decided_[index_of(partition)] = at;
  }
  log::info("load: dedup: {}: {} ids of {}records {}..{} read again", journal::name_of(partition), records,
            which == Which::stored ? "stored " : "", range.first, range.next);
  return {};
}

// Under mutex_. Neighbours in age of about one size, so that newer stays behind older.
std::vector<Dedup::Run> Dedup::runs_to_merge() const {
  size_t first = 0;
  while (first + options_.merge_at <= runs_.size()) {
    uint64_t smallest = UINT64_MAX;
    uint64_t largest = 0;
    for (size_t i = first; i < first + options_.merge_at; ++i) {
      smallest = std::min(smallest, runs_[i].ids->count());
      largest = std::max(largest, runs_[i].ids->count());
    }
    if (largest <= smallest * options_.merge_at) {
      auto from = runs_.begin() + static_cast<ptrdiff_t>(first);
      return {from, from + static_cast<ptrdiff_t>(options_.merge_at)};
    }
    ++first;
  }
  // Small ones between larger: all from there on, before they are too many to look through.
  if (runs_.size() > 3 * options_.merge_at) return runs_;
  return {};
}

void Dedup::merge_loop() {
  lower_priority(19);
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    std::vector<Run> some = runs_to_merge();
    if (some.empty()) {
      merging_ = false;
      changed_.notify_all();
      changed_.wait(lock);
      continue;
    }
    merging_ = true;
    lock.unlock();
    auto merged = merge(some);
    lock.lock();
    if (!merged) {
      log::error("load: dedup: files could not be made one: {}", failed(std::move(merged).error()).message);
      merging_ = false;
      changed_.notify_all();
      changed_.wait_for(lock, std::chrono::seconds(10), [this] { return stopping_; });
    }
  }
}

Result<> Dedup::merge(const std::vector<Run>& some) {
  uint64_t count_max = 0;
  uint64_t number = 0;
  uint32_t forget_before = 0;
  for (const Run& run : some) count_max += run.ids->count();
  {
    std::lock_guard lock(mutex_);
    number = next_number_++;
    forget_before = latest_ > kKeptSeconds ? latest_ - kKeptSeconds : 0;
  }
  auto writer = IdRunWriter::create(files_, path_of(number), count_max, options_.filter_bytes_max);
  if (!writer) return std::move(writer).error();
  struct Head {
    IdRun::Cursor cursor;
    const IdEntry* entry = nullptr;
  };
  std::vector<Head> heads;
  heads.reserve(some.size());
  for (const Run& run : some) heads.push_back({IdRun::Cursor(*run.ids), nullptr});
  auto advance = [](Head& head) -> Result<> {
    auto next = head.cursor.next();
    if (!next) return std::move(next).error();
    head.entry = *next;
    return {};
  };
  for (Head& head : heads)
    if (auto advanced = advance(head); !advanced) return advanced;
  for (;;) {
    // Of one key the one received last: the others lie beyond its window.
    const IdEntry* least = nullptr;
    for (const Head& head : heads) {
      if (head.entry == nullptr) continue;
      if (least == nullptr || head.entry->before(*least) ||
          (head.entry->same_key(*least) && head.entry->received > least->received))
        least = head.entry;
    }
    if (least == nullptr) break;
    const IdEntry entry = *least;
    if (entry.received >= forget_before)
      if (auto added = (*writer)->add(entry); !added) return added;
    for (Head& head : heads) {
      if (head.entry == nullptr || !head.entry->same_key(entry)) continue;
      if (auto advanced = advance(head); !advanced) return advanced;
    }
  }
  if (auto done = (*writer)->finish(); !done) return done;
  if (auto synced = files_.sync_directory(directory_); !synced) return synced;

  std::lock_guard lock(mutex_);
  std::vector<Run> runs;
  for (const Run& run : runs_) {
    const bool merged = std::any_of(some.begin(), some.end(), [&](const Run& r) { return r.number == run.number; });
    if (!merged) runs.push_back(run);
    if (run.number == some.back().number && (*writer)->count() > 0) runs.push_back({number, nullptr});
  }
  if (auto opened = open_filters(runs); !opened) return opened;
  if (auto written = write_manifest(runs); !written) return written;
  runs_ = std::move(runs);
  for (const Run& run : some) (void)files_.remove(path_of(run.number));  // the next open removes what stays
  if ((*writer)->count() == 0) (void)files_.remove(path_of(number));
  return {};
}

size_t Dedup::memory_bytes() const {
  std::lock_guard lock(mutex_);
  size_t bytes = recent_.bytes();
  for (const Run& run : runs_) bytes += run.ids->memory_bytes();
  return bytes;
}

uint64_t Dedup::ids() const {
  std::lock_guard lock(mutex_);
  uint64_t count = recent_.size();
  for (const Run& run : runs_) count += run.ids->count();
  return count;
}

size_t Dedup::runs() const {
  std::lock_guard lock(mutex_);
  return runs_.size();
}

void Dedup::wait_for_merges() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !merging_ && runs_to_merge().empty(); });
}

}  // namespace weir::load
