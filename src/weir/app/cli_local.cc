#include "weir/app/cli_local.h"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <charconv>
#include <cstdio>
#include <map>
#include <optional>

#include "weir/app/cli_packs.h"
#include "weir/app/client.h"
#include "weir/app/invocation.h"
#include "weir/base/bytes.h"
#include "weir/base/clock.h"
#include "weir/base/json_writer.h"
#include "weir/base/time_text.h"
#include "weir/event/json.h"
#include "weir/journal/inspect.h"
#include "weir/load/outcomes.h"
#include "weir/operate/doctor.h"
#include "weir/store/engine/library.h"

namespace weir::app {

namespace {
int fail(const std::string& message) {
  std::fprintf(stderr, "weir: %s\n", message.c_str());
  return 1;
}

std::string moment(UnixMillis t) { return t == 0 ? "-" : format_rfc3339(t); }

void print_segment(const journal::SegmentReport& s) {
  std::printf("  %-24s %12llu..%-12llu epoch %u  %7.1f MiB  %llu frames (%llu packed)  %s  %s%s\n", s.file.c_str(),
              static_cast<unsigned long long>(s.first), static_cast<unsigned long long>(s.next), s.epoch,
              static_cast<double>(s.bytes) / static_cast<double>(MiB), static_cast<unsigned long long>(s.frames),
              static_cast<unsigned long long>(s.frames_packed), moment(s.first_at).c_str(),
              s.sealed ? "sealed" : "open", s.index == journal::IndexState::bad ? ", bad index" : "");
  for (const std::string& problem : s.problems) std::printf("    %s\n", problem.c_str());
}

void print_partition(const journal::PartitionReport& p) {
  std::printf("%s: %llu..%llu, %.1f MiB in %zu segments\n", std::string(name_of(p.partition)).c_str(),
              static_cast<unsigned long long>(p.begin), static_cast<unsigned long long>(p.end),
              static_cast<double>(p.bytes) / static_cast<double>(MiB), p.segments.size());
  for (const journal::SegmentReport& s : p.segments) print_segment(s);
  if (p.torn_bytes > 0)
    std::printf("  %llu bytes behind the last whole frame: never acknowledged, or being written now\n",
                static_cast<unsigned long long>(p.torn_bytes));
  for (const journal::Damage& d : p.damaged)
    std::printf("  DAMAGED %llu..%llu: %s\n", static_cast<unsigned long long>(d.first),
                static_cast<unsigned long long>(d.next), d.reason.c_str());
  for (const std::string& problem : p.problems) std::printf("  %s\n", problem.c_str());
}

int report(const std::string& directory, bool every_byte) {
  auto found = every_byte ? journal::verify(real_files(), directory) : journal::inspect(real_files(), directory);
  if (!found) return fail(found.error().message);
  std::printf("journal %s in %s\n", to_hex(found->uuid).c_str(), directory.c_str());
  for (const journal::PartitionReport& partition : found->partitions) print_partition(partition);
  for (const std::string& problem : found->problems) std::printf("%s\n", problem.c_str());
  if (!found->sound()) return fail("the journal is damaged; what is listed above cannot be read");
  if (every_byte) std::printf("every acknowledged record is there and whole\n");
  return 0;
}

struct ExportOptions {
  std::string partition = "live";
  std::string from;
  std::string to;
  bool records_only = false;
};

// A bound is an offset, or a moment of appending.
bool read_bound(const std::string& text, uint64_t& offset, UnixMillis& moment) {
  if (text.empty()) return true;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), offset);
  if (error == std::errc() && end == text.data() + text.size()) return true;
  return parse_time(text, moment);
}

std::optional<journal::Partition> partition_named(const std::string& name) {
  for (journal::Partition p : {journal::Partition::live, journal::Partition::bulk})
    if (name_of(p) == name) return p;
  return std::nullopt;
}

int export_journal(const std::string& directory, const ExportOptions& options) {
  auto partition = partition_named(options.partition);
  journal::ExportRange range;
  if (!read_bound(options.from, range.first, range.appended_from))
    return fail("--from: neither an offset nor a time: " + options.from);
  if (!read_bound(options.to, range.next, range.appended_before))
    return fail("--to: neither an offset nor a time: " + options.to);
  std::string line;
  auto damage =
      journal::export_records(real_files(), directory, *partition, range, [&](const journal::ExportedRecord& r) {
        line.clear();
        if (options.records_only) {
          line.append(r.bytes);
        } else {
          line = fmt::format(R"({{"partition":"{}","epoch":{},"offset":{},"appended_at":"{}","record":)",
                             name_of(r.partition), r.epoch, r.offset, format_rfc3339(r.appended_at));
          line.append(r.bytes);
          line.push_back('}');
        }
        line.push_back('\n');
        return std::fwrite(line.data(), 1, line.size(), stdout) == line.size();
      });
  if (std::fflush(stdout) != 0) return fail("writing to the output failed");
  if (!damage) return fail(damage.error().message);
  for (const journal::Damage& d : *damage) fail(fmt::format("{}..{} cannot be read: {}", d.first, d.next, d.reason));
  return damage->empty() ? 0 : 1;
}

struct ReplayOptions {
  std::string partition = "live";
  bool re_enrich = false;
  std::string project, from, to;
};

int replay(const Invocation& invocation, const ReplayOptions& options) {
  auto answer = request(invocation, {.method = "POST",
                                     .target = "/api/v1/journal/replay?partition=" + options.partition,
                                     .timeout = std::chrono::hours(24)});
  if (!answer) return fail(answer.error().message);
  std::printf("%s\n", answer->body.c_str());
  return 0;
}

// A day of a project at a time, so that it can be ended and begun again at any moment.
int re_enrich(const Invocation& invocation, const ReplayOptions& options) {
  std::string target = "/api/v1/journal/days?";
  for (const auto& [name, value] :
       {std::pair("project", &options.project), std::pair("from", &options.from), std::pair("to", &options.to)})
    if (!value->empty()) target += fmt::format("{}={}&", name, url_encode(*value));
  auto listed = request(invocation, {.target = target, .timeout = std::chrono::minutes(10)});
  if (!listed) return fail(listed.error().message);
  auto days = boost::json::parse(listed->body).at("days").as_array();
  std::map<std::string, uint64_t> sums, columns;
  const bool progress = isatty(STDERR_FILENO) != 0;
  for (size_t i = 0; i < days.size(); ++i) {
    const std::string project(days[i].at("project").as_string());
    const std::string day(days[i].at("day").as_string());
    if (progress)
      std::fprintf(stderr, "\r%zu of %zu days: %s %s\033[K", i + 1, days.size(), project.c_str(), day.c_str());
    auto done = request(invocation,
                        {.method = "POST",
                         .target = fmt::format("/api/v1/journal/re-enrich?project={}&day={}", url_encode(project), day),
                         .timeout = std::chrono::hours(24)});
    if (!done) {
      if (progress) std::fputc('\n', stderr);
      return fail(
          fmt::format("{} of {} days are done; at {} of {}: {}", i, days.size(), day, project, done.error().message));
    }
    const auto summary = boost::json::parse(done->body);
    for (const char* name : {"rows", "changed", "without_record", "without_personal"})
      sums[name] += summary.at(name).to_number<uint64_t>();
    for (const auto& column : summary.at("columns").as_object())
      columns[column.key()] += column.value().to_number<uint64_t>();
  }
  if (progress) std::fputs("\r\033[K", stderr);
  std::printf("days               %zu\nrows               %llu\nchanged            %llu\n", days.size(),
              static_cast<unsigned long long>(sums["rows"]), static_cast<unsigned long long>(sums["changed"]));
  for (const auto& [column, rows] : columns)
    std::printf("  %-16s %llu\n", column.c_str(), static_cast<unsigned long long>(rows));
  if (uint64_t kept = sums["without_record"] + sums["without_personal"]; kept > 0)
    std::printf(
        "kept as they were  %llu rows keep place, program and labels made from them: %llu have no personal "
        "fields that can still be read, of %llu the journal has no record any more\n",
        static_cast<unsigned long long>(kept), static_cast<unsigned long long>(sums["without_personal"]),
        static_cast<unsigned long long>(sums["without_record"]));
  return 0;
}

struct DeadOptions {
  std::string partition = "live";
  bool json = false;
  bool resend = false;
};

std::string readable(std::string text) {
  std::vector<uint32_t> replaced;
  event::json::replace_invalid_utf8(text, replaced);
  return text;
}

int dead_letters(const Invocation& invocation, const DeadOptions& options) {
  if (options.resend) {
    auto answer = request(invocation, {.method = "POST",
                                       .target = "/api/v1/journal/resend?partition=" + options.partition,
                                       .timeout = std::chrono::hours(24)});
    if (!answer) return fail(answer.error().message);
    std::printf("%s\n", answer->body.c_str());
    return 0;
  }
  auto letters = load::read_dead_letters(real_files(), invocation.data_directory() + "/outcomes",
                                         *partition_named(options.partition));
  if (!letters) return fail(letters.error().message);
  for (const load::DeadLetter& letter : *letters) {
    std::string line;
    if (options.json) {
      line = fmt::format(R"({{"partition":"{}","epoch":{},"offset":{},"dead_at":"{}","reason":)", options.partition,
                         letter.epoch, letter.offset, format_rfc3339(letter.at));
      append_json_string(line, readable(letter.reason));
      // A record that is no JSON is one reason to be here.
      line += R"(,"record":)";
      append_json_string(line, readable(letter.record));
      line += "}";
    } else {
      line = fmt::format("{}  {:>12}  {}  {}", options.partition, letter.offset, moment(letter.at),
                         readable(letter.reason));
    }
    line.push_back('\n');
    if (std::fwrite(line.data(), 1, line.size(), stdout) != line.size()) return fail("writing to the output failed");
  }
  if (std::fflush(stdout) != 0) return fail("writing to the output failed");
  if (letters->empty()) std::fprintf(stderr, "weir: no dead letters in %s\n", options.partition.c_str());
  return 0;
}

int doctor(const Invocation& invocation) {
  operate::Patient patient;
  patient.data_directory = invocation.data_directory();
  const config::Options& o = invocation.options();
  patient.listeners.emplace_back("http.listen", o.http.listen);
  if (!o.api.listen.empty()) patient.listeners.emplace_back("api.listen", o.api.listen);
  if (!o.metrics.listen.empty()) patient.listeners.emplace_back("metrics.listen", o.metrics.listen);
  patient.store_url = o.store.url;
  if (auto library = store::engine::find_library(o.store.library)) patient.engine_library = *library;
  patient.server_runs = server_runs(invocation.data_directory());
  int outcome = 0;
  for (const config::Problem& problem : invocation.config.problems) {
    std::printf("bad      configuration: %s\n", problem.message.c_str());
    outcome = 1;
  }
  std::vector<operate::Finding> findings = operate::examine(patient);
  for (operate::Finding& finding : examine_packs(invocation)) findings.push_back(std::move(finding));
  for (const operate::Finding& finding : findings) {
    const char* mark = finding.verdict == operate::Verdict::good      ? "ok"
                       : finding.verdict == operate::Verdict::warning ? "warning"
                                                                      : "bad";
    std::printf("%-8s %s\n", mark, finding.what.c_str());
    if (!finding.advice.empty()) std::printf("         -> %s\n", finding.advice.c_str());
    if (finding.verdict == operate::Verdict::bad) outcome = 1;
  }
  std::printf("%-8s server: %s\n", "ok", patient.server_runs ? "running" : "not running");
  return outcome;
}
}  // namespace

void add_local_commands(CLI::App& cli, Invocation& invocation) {
  auto* journal = cli.add_subcommand("journal", "Look at, check, dump or re-send what was accepted");
  journal->require_subcommand(1);
  auto directory = [&invocation] { return invocation.data_directory() + "/journal"; };
  journal->add_subcommand("inspect", "Segments, positions and known damage")->callback([&invocation, directory] {
    invocation.action = [directory] { return report(directory(), false); };
  });
  journal->add_subcommand("verify", "Read and check every byte")->callback([&invocation, directory] {
    invocation.action = [directory] { return report(directory(), true); };
  });
  auto options = std::make_shared<ExportOptions>();
  auto* dump = journal->add_subcommand("export", "Write records as JSON lines");
  dump->add_option("--partition", options->partition, "live or bulk")
      ->check(CLI::IsMember({"live", "bulk"}))
      ->capture_default_str();
  dump->add_option("--from", options->from, "First offset, or the earliest time of appending");
  dump->add_option("--to", options->to, "Offset, or time of appending, before which to stop");
  dump->add_flag("--records-only", options->records_only, "The records alone, without their places");
  dump->callback([&invocation, directory, options] {
    invocation.action = [directory, options] { return export_journal(directory(), *options); };
  });
  auto again = std::make_shared<ReplayOptions>();
  auto* send = journal->add_subcommand("replay", "Compare all positions with the store and send what is missing");
  auto* partition = send->add_option("--partition", again->partition, "live or bulk")
                        ->check(CLI::IsMember({"live", "bulk"}))
                        ->capture_default_str();
  auto* anew = send->add_flag("--re-enrich", again->re_enrich,
                              "Give the stored rows what today's data packs and rules say of them, day by day: source, "
                              "place, program, device, label, address by the project's policy")
                   ->excludes(partition);
  send->add_option("--project", again->project, "With --re-enrich: of this project alone")->needs(anew);
  send->add_option("--from", again->from, "With --re-enrich: from this day (UTC) on, like 2026-01-31")->needs(anew);
  send->add_option("--to", again->to, "With --re-enrich: up to this day")->needs(anew);
  send->callback([&invocation, again] {
    invocation.action = [&invocation, again] {
      return again->re_enrich ? re_enrich(invocation, *again) : replay(invocation, *again);
    };
  });

  auto dead = std::make_shared<DeadOptions>();
  auto* letters = journal->add_subcommand("dead", "List the records that could not become a row, or try them again");
  letters->add_option("--partition", dead->partition, "live or bulk")
      ->check(CLI::IsMember({"live", "bulk"}))
      ->capture_default_str();
  letters->add_flag("--json", dead->json, "JSON lines, each with the record as a text");
  letters->add_flag("--resend", dead->resend, "Try all of them again (by the running server)");
  letters->callback(
      [&invocation, dead] { invocation.action = [&invocation, dead] { return dead_letters(invocation, *dead); }; });

  cli.add_subcommand("doctor", "Check disk, fsync, clock, ports, limits, store and data packs; say what to do")
      ->callback([&invocation] { invocation.action = [&invocation] { return doctor(invocation); }; });
}

}  // namespace weir::app
