#include "weir/load/re_enricher.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>

#include "weir/base/bytes.h"
#include "weir/enrich/enricher.h"

namespace weir::load {

namespace {
constexpr uint64_t kReadBytes = 4 * MiB;
// Records that are so near are read over rather than sought.
constexpr uint64_t kNear = 4'096;

enum Column : size_t {
  kSource,
  kMedium,
  kChannel,
  kCountry,
  kRegion,
  kCity,
  kBrowser,
  kBrowserVersion,
  kOs,
  kOsVersion,
  kDevice,
  kTraffic,
  kTrafficReason,
  kIp
};

// Decided by what is personal, so without it not to be decided again.
bool is_about_a_person(std::string_view reason) {
  return !reason.empty() && !reason.starts_with("referrer spam:") && !reason.starts_with("rule: hostname") &&
         !reason.starts_with("rule: referrer") && !reason.starts_with("rule: path") && reason != "foreign hostname";
}

}  // namespace

class ReEnricher::Records {
 public:
  static Result<Records> open(journal::Journal& journal, store::Store& store) {
    auto known = store.journals();
    if (!known) return std::move(known).error();
    Records records(journal);
    for (const store::JournalRow& row : *known)
      if (row.key.uuid == journal.uuid() && row.key.partition < 2)
        records.partitions_[row.p] = static_cast<journal::Partition>(row.key.partition);
    return records;
  }

  // Null when the journal does not have it (any more). Valid until the next call.
  const journal::Record* find(uint32_t p, uint64_t o) {
    auto partition = partitions_.find(p);
    if (partition == partitions_.end()) return nullptr;
    if (reader_ == nullptr || partition->second != reading_) {
      reading_ = partition->second;
      reader_ = journal_.reader(reading_);
      batch_ = {};
      at_ = 0;
    }
    while (true) {
      for (; at_ < batch_.records.size(); ++at_) {
        if (batch_.records[at_].offset == o) return &batch_.records[at_];
        if (batch_.records[at_].offset > o) return nullptr;
      }
      const uint64_t from = !batch_.empty() && batch_.next <= o && o - batch_.next < kNear ? batch_.next : o;
      if (o >= journal_.info(reading_).end) return nullptr;
      auto read = reader_->read(from, kReadBytes, std::chrono::milliseconds(0));
      if (!read || read->empty()) return nullptr;
      batch_ = *std::move(read);
      at_ = 0;
    }
  }

 private:
  explicit Records(journal::Journal& journal) : journal_(journal) {}
  journal::Journal& journal_;
  std::map<uint32_t, journal::Partition> partitions_;
  std::unique_ptr<journal::Reader> reader_;
  journal::Partition reading_{};
  journal::Batch batch_;
  size_t at_ = 0;
};

Result<const settings::Secrets::Opened*> ReEnricher::personal_of(const store::EnrichedRow& row, Records& records,
                                                                 Summary& summary) {
  const journal::Record* record = records.find(row.p, row.o);
  auto event = record == nullptr ? Result<event::Event>(Error{ErrorCode::kNotFound, ""}) : parser_.parse(record->bytes);
  if (!event) {
    ++summary.without_record;
    return nullptr;
  }
  auto opened = personal_.of(row.project_id, event->personal);
  if (opened && *opened == nullptr) ++summary.without_personal;
  return opened;
}

// Puts what is found today into the row; true when it differs.
bool ReEnricher::renew(store::EnrichedRow& row, const settings::Secrets::Opened* personal, settings::IpPolicy policy,
                       Summary& summary) {
  const enrich::Findings& f = lookup_.find(enrich::circumstances_of(row, personal, row.names_its_user));
  auto found = row.found;
  found[kSource] = f.source;
  found[kMedium] = f.medium;
  found[kChannel] = f.channel;
  const bool judged = f.traffic != event::Traffic::human;
  if (personal != nullptr || judged || !is_about_a_person(row.found[kTrafficReason])) {
    found[kTraffic] = event::name_of(f.traffic);
    found[kTrafficReason] = f.traffic_reason;
  }
  if (personal != nullptr && parts_.packs != nullptr) {
    found[kCountry] = f.country;
    found[kRegion] = f.region;
    found[kCity] = f.city;
    found[kBrowser] = f.browser;
    found[kBrowserVersion] = f.browser_version;
    found[kOs] = f.os;
    found[kOsVersion] = f.os_version;
    found[kDevice] = f.device;
  }
  // A stricter policy reaches what was stored under a laxer one.
  std::string buffer;
  found[kIp] = enrich::apply_ip_policy(policy, personal != nullptr ? personal->ip : row.found[kIp], buffer);
  if (found == row.found) return false;
  for (size_t i = 0; i < found.size(); ++i)
    if (found[i] != row.found[i]) ++summary.by_column[i];
  row.found = std::move(found);
  return true;
}

Result<> ReEnricher::write(const store::ProjectDay& day, std::vector<store::EnrichedRow>& changes,
                           std::vector<DirtyVisits>& dirty) {
  parts_.healer.rewriting_begins();
  auto noted = parts_.healer.note(dirty);
  auto written = noted ? parts_.store.rewrite_enrichment(day, changes) : std::move(noted);
  parts_.healer.rewriting_ended();
  changes.clear();
  dirty.clear();
  return written;
}

Result<ReEnricher::Summary> ReEnricher::run(const store::ProjectDay& day) {
  // Straight after a start they are being read, which takes a second.
  constexpr std::chrono::seconds kPacksPatience{10};
  std::shared_ptr<const enrich::Packs> packs;
  if (parts_.packs != nullptr) packs = parts_.packs->wait_current(kPacksPatience);
  if (parts_.packs != nullptr && packs == nullptr)
    return Error{ErrorCode::kUnavailable, "load: the data packs are being read; try again in a moment"};
  auto snapshot = parts_.settings.snapshot();
  const settings::Project* project = snapshot->project(day.project_id);
  const settings::IpPolicy policy = project != nullptr ? project->ip_policy : settings::IpPolicy::none;
  lookup_.use(packs, snapshot);
  auto records = Records::open(parts_.journal, parts_.store);
  if (!records) return std::move(records).error();

  Summary summary;
  std::vector<store::EnrichedRow> changes;
  std::vector<DirtyVisits> dirty;
  Result<> written;
  auto read = parts_.store.enriched_rows(day, [&](store::EnrichedRow&& row) {
    if (!written) return;
    ++summary.rows;
    const std::string source = row.found[kSource];
    const std::string channel = row.found[kChannel];
    auto personal = personal_of(row, *records, summary);
    if (!personal) {
      written = std::move(personal).error();
      return;
    }
    if (!renew(row, *personal, policy, summary)) return;
    ++summary.changed;
    if (source != row.found[kSource] || channel != row.found[kChannel])
      dirty.push_back({row.project_id, row.visitor_id, row.time, row.time});
    changes.push_back(std::move(row));
    if (changes.size() >= kRowsAtOnce) written = write(day, changes, dirty);
  });
  if (!read) return std::move(read).error();
  if (written && !changes.empty()) written = write(day, changes, dirty);
  if (!written) return std::move(written).error();
  return summary;
}

}  // namespace weir::load
