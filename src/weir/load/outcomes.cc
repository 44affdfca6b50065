#include "weir/load/outcomes.h"

#include <algorithm>
#include <map>

#include "weir/base/bytes.h"

namespace weir::load {

namespace {
// A letter's bytes: epoch, time, length of the reason, reason, record.
constexpr size_t kLetterHeadBytes = 16;
constexpr size_t kReasonBytesMax = 4 * KiB;

std::string letters_name(journal::Partition partition) { return std::string(journal::name_of(partition)) + "-dead"; }

std::string encode(const DeadLetter& letter) {
  const std::string_view reason = std::string_view(letter.reason).substr(0, kReasonBytesMax);
  std::string out;
  append_le(out, letter.epoch);
  append_le(out, letter.at);
  append_le(out, static_cast<uint32_t>(reason.size()));
  out.append(reason).append(letter.record);
  return out;
}

bool decode(const LogEntry& entry, DeadLetter& letter) {
  std::string_view bytes = entry.bytes;
  if (bytes.size() < kLetterHeadBytes) return false;
  const size_t reason = load_le<uint32_t>(bytes.data() + 12);
  if (reason > bytes.size() - kLetterHeadBytes) return false;
  letter.offset = entry.key;
  letter.epoch = load_le<uint32_t>(bytes.data());
  letter.at = load_le<UnixMillis>(bytes.data() + 4);
  letter.reason = bytes.substr(kLetterHeadBytes, reason);
  letter.record = bytes.substr(kLetterHeadBytes + reason);
  return true;
}
}  // namespace

std::string_view name_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::row:
      return "row";
    case Outcome::duplicate:
      return "duplicate";
    case Outcome::dead:
      return "dead";
    case Outcome::expired:
      return "expired";
    case Outcome::erased:
      return "erased";
    case Outcome::moved:
      return "moved";
  }
  return "unknown";
}

Result<std::unique_ptr<Outcomes>> Outcomes::open(FileSystem& files, const std::string& directory,
                                                 const std::string& journal_uuid, journal::Partition partition) {
  if (auto made = files.make_directory(directory); !made) return std::move(made).error();
  auto log = EntryLog::open(files, directory, std::string(journal::name_of(partition)), journal_uuid);
  if (!log) return std::move(log).error();
  auto letters = EntryLog::open(files, directory, letters_name(partition), journal_uuid);
  if (!letters) return std::move(letters).error();
  std::unique_ptr<Outcomes> outcomes(new Outcomes(*std::move(log), *std::move(letters)));
  if (auto counted = outcomes->recount(); !counted) return std::move(counted).error();
  return outcomes;
}

Result<> Outcomes::decide(std::span<const Decision> decisions) {
  std::vector<char> kinds;
  kinds.reserve(decisions.size());
  std::vector<LogEntry> entries;
  entries.reserve(decisions.size());
  for (const Decision& decision : decisions) {
    kinds.push_back(static_cast<char>(decision.outcome));
    entries.push_back({decision.offset, {&kinds.back(), 1}});
  }
  if (auto appended = log_->append(entries); !appended) return appended;
  std::vector<LogEntry> taken_back;
  for (const Decision& decision : decisions)
    if (decision.outcome == Outcome::row) taken_back.push_back({decision.offset, {}});
  if (!taken_back.empty()) {
    if (auto appended = letters_->append(taken_back); !appended) return appended;
    return recount();
  }
  std::lock_guard lock(mutex_);
  for (const Decision& decision : decisions) ++counts_[static_cast<size_t>(decision.outcome)];
  return {};
}

Result<> Outcomes::bury(std::span<const DeadLetter> letters) {
  std::vector<std::string> texts;
  texts.reserve(letters.size());
  std::vector<LogEntry> entries;
  std::vector<Decision> decisions;
  for (const DeadLetter& letter : letters) {
    texts.push_back(encode(letter));
    entries.push_back({letter.offset, texts.back()});
    decisions.push_back({letter.offset, Outcome::dead});
  }
  if (auto kept = letters_->append(entries); !kept) return kept;
  return decide(decisions);
}

Result<std::vector<Outcomes::Decision>> Outcomes::latest() {
  std::vector<Decision> all;
  auto read = log_->read([&](const LogEntry& entry) {
    const auto kind = entry.bytes.empty() ? uint8_t{0} : static_cast<uint8_t>(entry.bytes.front());
    if (kind < kOutcomes) all.push_back({entry.key, static_cast<Outcome>(kind)});
    return true;
  });
  if (!read) return std::move(read).error();
  std::stable_sort(all.begin(), all.end(), [](const Decision& a, const Decision& b) { return a.offset < b.offset; });
  std::vector<Decision> last;
  for (const Decision& decision : all) {
    if (!last.empty() && last.back().offset == decision.offset)
      last.back() = decision;
    else
      last.push_back(decision);
  }
  return last;
}

Result<> Outcomes::recount() {
  auto decisions = latest();
  if (!decisions) return std::move(decisions).error();
  std::array<uint64_t, kOutcomes> counts{};
  for (const Decision& decision : *decisions) ++counts[static_cast<size_t>(decision.outcome)];
  counts[static_cast<size_t>(Outcome::row)] = 0;
  std::lock_guard lock(mutex_);
  counts_ = counts;
  return {};
}

Result<Outcomes::Settled> Outcomes::settled(journal::Offset first, journal::Offset next) {
  auto decisions = latest();
  if (!decisions) return std::move(decisions).error();
  Settled settled;
  for (const Decision& decision : *decisions) {
    if (decision.outcome == Outcome::row || decision.offset < first || decision.offset >= next) continue;
    const Range range{decision.offset, decision.offset + 1};
    append_range(settled.all, range);
    if (decision.outcome == Outcome::dead || decision.outcome == Outcome::moved) append_range(settled.unsure, range);
  }
  return settled;
}

Result<Outcome> Outcomes::of(journal::Offset offset) {
  Outcome last = Outcome::row;
  auto read = log_->read([&](const LogEntry& entry) {
    if (entry.key != offset || entry.bytes.empty()) return true;
    const auto kind = static_cast<uint8_t>(entry.bytes.front());
    if (kind < kOutcomes) last = static_cast<Outcome>(kind);
    return true;
  });
  if (!read) return std::move(read).error();
  return last;
}

namespace {
// Of each position the letter written last, unless it was taken back since.
Result<std::vector<DeadLetter>> letters_of(EntryLog& log) {
  std::map<journal::Offset, DeadLetter> letters;
  auto read = log.read([&](const LogEntry& entry) {
    DeadLetter letter;
    if (entry.bytes.empty())
      letters.erase(entry.key);
    else if (decode(entry, letter))
      letters[entry.key] = std::move(letter);
    return true;
  });
  if (!read) return std::move(read).error();
  std::vector<DeadLetter> all;
  all.reserve(letters.size());
  for (auto& [offset, letter] : letters) all.push_back(std::move(letter));
  return all;
}
}  // namespace

Result<std::vector<DeadLetter>> Outcomes::dead_letters() { return letters_of(*letters_); }

Result<> Outcomes::retire_below(journal::Offset begin) {
  auto removed = log_->retire_below(begin);
  if (!removed) return std::move(removed).error();
  return *removed ? recount() : Result<>();
}

std::array<uint64_t, kOutcomes> Outcomes::counts() const {
  std::lock_guard lock(mutex_);
  return counts_;
}

Result<std::vector<DeadLetter>> read_dead_letters(FileSystem& files, const std::string& directory,
                                                  journal::Partition partition) {
  if (!files.exists(directory)) return std::vector<DeadLetter>();
  auto letters = EntryLog::open(files, directory, letters_name(partition), {});
  if (!letters) return std::move(letters).error();
  return letters_of(**letters);
}

}  // namespace weir::load
