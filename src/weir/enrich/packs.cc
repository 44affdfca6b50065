#include "weir/enrich/packs.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <simdjson.h>
#include <sys/stat.h>
#include <unistd.h>

#include <climits>

#include "weir/base/bytes.h"
#include "weir/base/files.h"
#include "weir/base/logging.h"
#include "weir/enrich/text_lines.h"

namespace weir::enrich {

std::string_view name_of(PackState state) {
  switch (state) {
    case PackState::ok:
      return "ok";
    case PackState::missing:
      return "missing";
    case PackState::damaged:
      return "damaged";
  }
  return "";
}

std::string find_shipped_packs(const std::string& configured) {
  if (!configured.empty()) return configured;
  auto holds_packs = [](const std::string& directory) { return real_files().exists(directory + "/packs.json"); };
  char path[PATH_MAX];
  ssize_t size = ::readlink("/proc/self/exe", path, sizeof path);
  if (size <= 0) return "";
  std::string program = parent_directory(std::string(path, static_cast<size_t>(size)));
  if (std::string installed = program + "/../share/weir/packs"; holds_packs(installed)) return installed;
  for (std::string at = program; at != "/" && at != "."; at = parent_directory(at)) {
    for (std::string directory : {at + "/packs", at + "/build/packs"})
      if (holds_packs(directory)) return directory;
  }
  return "";
}

namespace {
PackReport report_of(const PackKind& kind) {
  PackReport report;
  report.name = kind.name;
  report.purpose = kind.purpose;
  report.shipped = kind.shipped;
  return report;
}
}  // namespace

PackStore::PackStore(PackDirectories directories, PlaceFile::Check check)
    : directories_(std::move(directories)), check_(check) {
  for (const PackKind& kind : pack_kinds()) {
    Slot slot;
    slot.kind = &kind;
    slot.report = report_of(kind);
    slots_.push_back(std::move(slot));
  }
}

PackStore::Stamp PackStore::stamp_of(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return {};
  return {path, info.st_ino, static_cast<uint64_t>(info.st_size),
          int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec};
}

PackStore::Stamp PackStore::newest(const Slot& slot) const {
  for (const std::string& directory : {directories_.own, directories_.shipped}) {
    if (directory.empty()) continue;
    Stamp found = stamp_of(fmt::format("{}/{}", directory, slot.kind->name));
    if (!found.path.empty()) return found;
  }
  return {};
}

bool PackStore::refresh(UnixMillis now) {
  bool changed = first_;
  for (Slot& slot : slots_) {
    Stamp file = newest(slot);
    bool settled = first_ || file == slot.seen;
    slot.seen = file;
    if (settled && (first_ || file != slot.tried)) changed = take(slot, file) || changed;
  }
  if (first_) {
    std::vector<std::string_view> missing;
    for (const Slot& slot : slots_)
      if (slot.report.state == PackState::missing && slot.report.shipped) missing.push_back(slot.report.name);
    if (!missing.empty())
      log::warning("packs: {} missing in {} and {}: what they would tell stays unknown", fmt::join(missing, ", "),
                   directories_.own, directories_.shipped.empty() ? "the installation" : directories_.shipped);
  }
  first_ = false;
  warn_of_age(now);
  if (changed) publish();
  return changed;
}

// True when there is something to tell: another content, or another reason for none.
bool PackStore::take(Slot& slot, const Stamp& file) {
  if (file.path.empty()) {
    bool gone = !slot.loaded.path.empty();
    slot.kind->drop(parts_);
    slot.loaded = slot.tried = {};
    slot.report = report_of(*slot.kind);
    if (gone) log::warning("packs: {} is gone; what it would tell stays unknown", slot.kind->name);
    return gone;
  }
  auto loaded = load(slot, file);
  if (loaded) {
    slot.tried = file;
    if (!first_) log::info("packs: {} loaded from {}", slot.report.name, file.path);
    return true;
  }
  // What may be otherwise next time is tried again next time.
  const Error& error = loaded.error();
  if (!is_retryable(error.code)) slot.tried = file;
  std::string reason = fmt::format("{}: {}", file.path, error.message);
  std::string instead = "; the one before stays in use";
  if (slot.loaded.path.empty()) {
    Stamp shipped;
    if (!directories_.shipped.empty()) shipped = stamp_of(fmt::format("{}/{}", directories_.shipped, slot.kind->name));
    bool replaced = !shipped.path.empty() && shipped.path != file.path && load(slot, shipped);
    instead = replaced ? "; the one that weir came with is used instead" : "";
  }
  if (slot.complained == file) return false;
  slot.complained = file;
  slot.report.state = PackState::damaged;
  slot.report.reason = reason + instead;
  log::warning("packs: {}", slot.report.reason);
  return true;
}

Result<> PackStore::load(Slot& slot, const Stamp& file) {
  auto facts = slot.kind->load({file.path, directories_.copies, check_}, parts_);
  if (!facts) return std::move(facts).error();
  slot.loaded = file;
  slot.warned_of_age = false;
  PackReport& report = slot.report;
  report = report_of(*slot.kind);
  report.state = PackState::ok;
  report.path = file.path;
  report.own = parent_directory(file.path) == directories_.own;
  report.contents = std::move(facts->contents);
  report.bytes = file.bytes;
  if (!report.own) add_manifest(report);
  if (facts->date != 0) report.date = facts->date;
  return {};
}

// What packs.json, written beside the shipped files by tools/packs/assemble.js, says of one. Without it they are as
// good, but nameless.
void PackStore::add_manifest(PackReport& report) const {
  auto text = read_file(real_files(), directories_.shipped + "/packs.json", 1 * MiB);
  if (!text) return;
  simdjson::dom::parser parser;
  simdjson::dom::array packs;
  if (parser.parse(*text)["packs"].get(packs)) return;
  for (simdjson::dom::element pack : packs) {
    auto field = [&pack](const char* name) -> std::string {
      std::string_view value;
      return pack[name].get(value) ? std::string() : std::string(value);
    };
    if (field("file") != report.name) continue;
    report.source = field("source");
    report.version = field("version");
    report.licence = field("licence");
    report.credit = field("credit");
    report.date = parse_day(field("date"));
  }
}

void PackStore::warn_of_age(UnixMillis now) {
  std::vector<std::string> old;
  for (Slot& slot : slots_) {
    if (slot.loaded.path.empty() || slot.warned_of_age || !slot.report.old(now)) continue;
    slot.warned_of_age = true;
    old.push_back(fmt::format("{} ({})", slot.report.name, format_day(day_of(slot.report.date))));
  }
  if (!old.empty())
    log::warning("packs: older than {} days: {}; weir packs update FILE takes newer ones", kPackAgeMax.count() / 24,
                 fmt::join(old, ", "));
}

namespace {
std::string_view text_of(const std::shared_ptr<const std::string>& text) { return text ? *text : std::string_view(); }
}  // namespace

// Each text was found to be right by itself.
void PackStore::make_user_agents() {
  if (user_agents_ != nullptr && made_of_.user_agent_rules == parts_.user_agent_rules &&
      made_of_.user_agent_overlay == parts_.user_agent_overlay)
    return;
  user_agents_.reset();
  if (parts_.user_agent_rules == nullptr && parts_.user_agent_overlay == nullptr) return;
  auto made = UserAgentRules::load(text_of(parts_.user_agent_rules), text_of(parts_.user_agent_overlay));
  if (made)
    user_agents_ = *std::move(made);
  else
    log::error("packs: user agents: {}", made.error().message);
}

void PackStore::make_sources() {
  if (sources_ != nullptr && made_of_.sources == parts_.sources && made_of_.spam_hosts == parts_.spam_hosts &&
      made_of_.public_suffixes == parts_.public_suffixes)
    return;
  auto suffixes = PublicSuffixes::load(text_of(parts_.public_suffixes));
  auto made = Sources::load({built_in_sources(), text_of(parts_.sources), text_of(parts_.spam_hosts)},
                            suffixes ? *std::move(suffixes) : PublicSuffixes());
  if (made)
    sources_ = std::make_shared<const Sources>(*std::move(made));
  else
    log::error("packs: sources: {}", made.error().message);
}

void PackStore::publish() {
  make_user_agents();
  make_sources();
  made_of_ = parts_;
  auto packs = std::make_shared<Packs>();
  packs->parts = parts_;
  packs->bots = Bots(parts_.agents, parts_.isbot, parts_.crawlers);
  packs->places = Places(parts_.places);
  packs->user_agents = user_agents_;
  packs->sources = sources_;
  for (const Slot& slot : slots_) packs->reports.push_back(slot.report);
  std::lock_guard lock(mutex_);
  current_ = std::move(packs);
  published_.notify_all();
}

std::shared_ptr<const Packs> PackStore::wait_current(std::chrono::milliseconds patience) const {
  std::unique_lock lock(mutex_);
  published_.wait_for(lock, patience, [&] { return current_ != nullptr; });
  return current_;
}

std::shared_ptr<const Packs> PackStore::current() const {
  std::lock_guard lock(mutex_);
  return current_;
}

void show_packs(const Packs& packs, UnixMillis now, metrics::Registry& registry) {
  for (const PackReport& report : packs.reports) {
    if (!report.shipped && report.state == PackState::missing) continue;
    metrics::Labels labels = {{"pack", std::string(report.name)}};
    registry.gauge("weir_enrich_pack_ok", "Whether the data pack is there and whole.", labels)
        .set(report.state == PackState::ok ? 1 : 0);
    if (report.date != 0)
      registry.gauge("weir_enrich_pack_age_seconds", "Age of the data in the pack.", labels)
          .set(static_cast<double>(now - report.date) / 1000);
  }
}

}  // namespace weir::enrich
