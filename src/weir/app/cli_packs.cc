#include "weir/app/cli_packs.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <optional>
#include <string>

#include "weir/app/client.h"
#include "weir/app/invocation.h"
#include "weir/app/packs_json.h"
#include "weir/base/bytes.h"
#include "weir/base/clock.h"
#include "weir/base/files.h"
#include "weir/base/logging.h"
#include "weir/enrich/packs.h"

namespace weir::app {

namespace {
using enrich::PackReport;
using enrich::PackState;

int fail(const std::string& message) {
  std::fprintf(stderr, "weir: %s\n", message.c_str());
  return 1;
}

std::string own_packs(const Invocation& invocation) { return invocation.data_directory() + "/packs"; }

std::vector<PackReport> look_at_packs(const Invocation& invocation, enrich::PlaceFile::Check check, UnixMillis now) {
  // What the log would warn of is in the reports.
  log::configure(log::Level::critical, log::Format::text);
  enrich::PackStore store({own_packs(invocation), enrich::find_shipped_packs(invocation.options().packs.directory), ""},
                          check);
  store.refresh(now);
  return store.current()->reports;
}

std::string size_text(uint64_t bytes) {
  return bytes < MiB ? fmt::format("{:.1f} KiB", static_cast<double>(bytes) / static_cast<double>(KiB))
                     : fmt::format("{:.1f} MiB", static_cast<double>(bytes) / static_cast<double>(MiB));
}

std::string state_text(const PackReport& pack, UnixMillis now) {
  if (pack.state == PackState::missing && !pack.shipped) return "-";
  return std::string(name_of(pack.state)) + (pack.state == PackState::ok && pack.old(now) ? ", old" : "");
}

void print_table(const std::vector<PackReport>& packs, UnixMillis now) {
  std::string table =
      fmt::format("{:<24}{:<10}{:<12}{:>10}{:>12}  {:<46}{}\n", "pack", "state", "date", "age", "size", "for", "from");
  for (const PackReport& pack : packs) {
    std::string from = pack.own ? pack.path : fmt::format("{} {}", pack.source, pack.version);
    table += fmt::format("{:<24}{:<10}{:<12}{:>10}{:>12}  {:<46}{}\n", pack.name, state_text(pack, now),
                         pack.date == 0 ? "-" : format_day(day_of(pack.date)),
                         pack.date == 0 ? "-" : fmt::format("{} days", pack_age_days(pack, now)),
                         pack.path.empty() ? "-" : size_text(pack.bytes), pack.purpose, pack.path.empty() ? "" : from);
    if (!pack.reason.empty()) table += fmt::format("    {}\n", pack.reason);
  }
  std::fputs(table.c_str(), stdout);
}

void print_json(const std::vector<PackReport>& packs, UnixMillis now) {
  std::printf("%s\n", packs_json(packs, now).c_str());
}

int list(const Invocation& invocation, bool json) {
  UnixMillis now = SystemClock().now();
  auto packs = look_at_packs(invocation, enrich::PlaceFile::Check::sample, now);
  if (json)
    print_json(packs, now);
  else
    print_table(packs, now);
  return 0;
}

int check(const Invocation& invocation) {
  UnixMillis now = SystemClock().now();
  size_t damaged = 0;
  for (const PackReport& pack : look_at_packs(invocation, enrich::PlaceFile::Check::all, now)) {
    if (pack.state == PackState::missing && !pack.shipped) continue;
    damaged += pack.state == PackState::damaged ? 1 : 0;
    std::string what = pack.state == PackState::damaged ? pack.reason : pack.state == PackState::ok ? pack.path : "";
    std::printf("%-24s%-10s%s\n", std::string(pack.name).c_str(), std::string(name_of(pack.state)).c_str(),
                what.c_str());
  }
  return damaged == 0 ? 0 : fail(fmt::format("{} damaged; weir packs update FILE puts another in its place", damaged));
}

// Copies piece by piece: a pack may be larger than memory.
Result<> copy_file(const std::string& from, const std::string& to) {
  FileSystem& files = real_files();
  auto source = files.open(from, FileSystem::Mode::read);
  if (!source) return std::move(source).error();
  if (auto removed = files.remove(to); !removed) return removed;
  auto copy = files.open(to, FileSystem::Mode::create);
  if (!copy) return std::move(copy).error();
  std::string piece(1 * MiB, '\0');
  for (uint64_t at = 0;;) {
    auto got = (*source)->read_at(at, piece.data(), piece.size());
    if (!got) return std::move(got).error();
    if (*got == 0) return (*copy)->sync();
    if (auto written = (*copy)->write_at(at, std::string_view(piece).substr(0, *got)); !written) return written;
    at += *got;
  }
}

// To whom the data directory belongs, so that a weir of its own user can read what root puts there.
void give_to_owner(const std::string& data_directory, const std::string& path) {
  struct stat info {};
  if (::geteuid() == 0 && ::stat(data_directory.c_str(), &info) == 0)
    (void)!::chown(path.c_str(), info.st_uid, info.st_gid);
}

int update(const Invocation& invocation, const std::string& file, const std::string& as) {
  const std::string& data = invocation.data_directory();
  if (!real_files().exists(data + "/VERSION"))
    return fail(fmt::format("{} is no data directory of weir: start weir serve once, or name it with --data", data));
  const enrich::PackKind* kind = enrich::pack_kind(as);
  if (as.empty()) {
    auto recognised = enrich::recognise_pack(file);
    if (!recognised) return fail(fmt::format("{}: {}", file, recognised.error().message));
    kind = *recognised;
  }
  const std::string directory = own_packs(invocation);
  const std::string temporary = fmt::format("{}/.{}.new", directory, kind->name);
  const std::string place = fmt::format("{}/{}", directory, kind->name);
  if (auto made = real_files().make_directory(directory); !made) return fail(made.error().message);
  give_to_owner(data, directory);

  // The copy is judged, not the file: that one may change meanwhile.
  enrich::PackParts parts;
  auto copied = copy_file(file, temporary);
  auto facts = copied ? kind->load({temporary, "", enrich::PlaceFile::Check::all}, parts)
                      : Result<enrich::PackFacts>(copied.error());
  give_to_owner(data, temporary);
  Result<> moved;
  if (facts) moved = real_files().rename(temporary, place);
  if (facts && moved) moved = real_files().sync_directory(directory);
  if (!facts || !moved) {
    (void)real_files().remove(temporary);
    return fail(
        fmt::format("{}: cannot be used as {}: {}", file, kind->name, (facts ? moved.error() : facts.error()).message));
  }
  std::string date = facts->date == 0 ? "" : ", " + format_day(day_of(facts->date));
  std::printf("%s: %s%s\n", place.c_str(), facts->contents.c_str(), date.c_str());
  if (server_runs(data)) std::printf("the running weir takes it up within seconds\n");
  return 0;
}
}  // namespace

std::vector<operate::Finding> examine_packs(const Invocation& invocation) {
  UnixMillis now = SystemClock().now();
  std::vector<operate::Finding> findings;
  std::vector<std::string> missing;
  std::vector<std::string> old;
  size_t good = 0;
  for (const PackReport& pack : look_at_packs(invocation, enrich::PlaceFile::Check::sample, now)) {
    if (pack.state == PackState::damaged)
      findings.push_back({operate::Verdict::bad, "packs: " + pack.reason,
                          "weir packs update FILE puts another in its place; delete it to go back to weir's own"});
    if (pack.state == PackState::missing && pack.shipped) missing.emplace_back(pack.name);
    if (pack.old(now)) old.push_back(fmt::format("{} ({} days)", pack.name, pack_age_days(pack, now)));
    good += pack.state == PackState::ok ? 1 : 0;
  }
  if (!missing.empty())
    findings.push_back(
        {operate::Verdict::warning, fmt::format("packs: missing: {}", fmt::join(missing, ", ")),
         "what they would tell of visitors stays unknown; tools/packs/fetch in the checkout fetches them, "
         "weir packs update FILE takes one of yours"});
  if (!old.empty())
    findings.push_back(
        {operate::Verdict::warning,
         fmt::format("packs: older than {} days: {}", enrich::kPackAgeMax.count() / 24, fmt::join(old, ", ")),
         "weir packs update FILE takes newer ones"});
  findings.push_back({operate::Verdict::good, fmt::format("packs: {} loaded", good), ""});
  return findings;
}

void add_pack_commands(CLI::App& cli, Invocation& invocation) {
  auto* packs = cli.add_subcommand("packs", "The data that visitors' programs and places are looked up in");
  packs->require_subcommand(1);
  auto json = std::make_shared<bool>(false);
  auto* listing = packs->add_subcommand("list", "Each pack with its state, age, size and origin");
  listing->add_flag("--json", *json, "One JSON array");
  listing->callback(
      [&invocation, json] { invocation.action = [&invocation, json] { return list(invocation, *json); }; });
  packs->add_subcommand("check", "Read every pack wholly")->callback([&invocation] {
    invocation.action = [&invocation] { return check(invocation); };
  });
  auto file = std::make_shared<std::string>();
  auto as = std::make_shared<std::string>();
  std::vector<std::string> names;
  for (const enrich::PackKind& kind : enrich::pack_kinds()) names.emplace_back(kind.name);
  auto* taking = packs->add_subcommand("update", "Put a file in the place of the pack that it is");
  taking->add_option("FILE", *file, "A newer list, an MMDB of cities or countries, ...")->required();
  taking->add_option("--as", *as, "Which pack it is, where the file does not show it")->check(CLI::IsMember(names));
  taking->callback([&invocation, file, as] {
    invocation.action = [&invocation, file, as] { return update(invocation, *file, *as); };
  });
}

}  // namespace weir::app
