#include "weir/app/cli_seed.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>

#include "weir/app/client.h"
#include "weir/app/invocation.h"
#include "weir/app/patient_client.h"
#include "weir/app/progress.h"
#include "weir/transfer/import_report.h"
#include "weir/transfer/importer.h"

namespace weir::app {

namespace {
struct Arguments {
  std::string project;
  transfer::SeedPlan plan;
  std::string end;
};

// What to give again when it was interrupted: the end moves with the day unless it is named.
std::string repeated(const Arguments& a) {
  return fmt::format("weir seed --project {} --events {} --days {} --seed {} --end {}", a.project, a.plan.events,
                     a.plan.days, a.plan.seed, format_day(a.plan.end_day));
}

std::string progress_text(const transfer::SeedProgress& progress, std::chrono::milliseconds took) {
  return fmt::format("{} of {} events  {}%  {:.1f} s", transfer::grouped(progress.done),
                     transfer::grouped(progress.events), progress.done * 100 / progress.events,
                     static_cast<double>(took.count()) / 1000);
}

int seed(const Invocation& invocation, const Arguments& arguments) {
  Progress progress;
  PatientClient client(invocation, progress);
  ServerRequest request;
  request.method = "POST";
  request.target =
      fmt::format("/api/v1/seed?project={}&events={}&days={}&seed={}&end={}", url_encode(arguments.project),
                  arguments.plan.events, arguments.plan.days, arguments.plan.seed, format_day(arguments.plan.end_day));
  transfer::SeedProgress last;
  do {
    auto answer = client.send(request);
    auto now = answer ? transfer::SeedProgress::parse(answer->body)
                      : Result<transfer::SeedProgress>(std::move(answer).error());
    if (!now) {
      progress.clear();
      std::fprintf(stderr, "weir: %s\n", now.error().message.c_str());
      if (last.done > 0)
        std::fprintf(stderr, "weir: what was written stays; `%s` goes on\n", repeated(arguments).c_str());
      return 1;
    }
    last = *now;
    progress.show([&](std::chrono::milliseconds took) { return progress_text(last, took); });
  } while (last.done < last.events);
  auto took = progress.took();
  progress.clear();
  std::printf("%s events written, %s were there already; %s to %s, seed %llu; %.1f s\n",
              transfer::grouped(last.seeded).c_str(), transfer::grouped(last.already).c_str(),
              format_day(arguments.plan.end_day - arguments.plan.days).c_str(),
              format_day(arguments.plan.end_day - 1).c_str(), static_cast<unsigned long long>(arguments.plan.seed),
              static_cast<double>(took.count()) / 1000);
  return 0;
}

int run(const Invocation& invocation, Arguments& arguments) {
  int64_t today = day_of(SystemClock().now());
  arguments.plan.end_day = today;
  Result<> checked;
  if (!arguments.end.empty()) {
    auto day = transfer::parse_day(arguments.end);
    if (day)
      arguments.plan.end_day = *day;
    else
      checked = Error{ErrorCode::kBadInput, "seed: --end: " + day.error().message};
  }
  if (checked) checked = arguments.plan.check(today);
  if (!checked) {
    std::fprintf(stderr, "weir: %s\n", checked.error().message.c_str());
    return 2;
  }
  return seed(invocation, arguments);
}
}  // namespace

void add_seed_command(CLI::App& cli, Invocation& invocation) {
  CLI::App* command = cli.add_subcommand("seed", "Fill a project with a demo history");
  command->footer(
      "The same options give the same events, and give them once: a seed that was interrupted goes on when it is given "
      "again\n(on another day with the same --end). Other options add another history beside it. Its events have sdk = "
      "'weir-seed'.");
  auto arguments = std::make_shared<Arguments>();
  command->add_option("--project", arguments->project, "Where the events go")->required();
  command->add_option("--events", arguments->plan.events, "How many")->required();
  command->add_option("--days", arguments->plan.days, "Over how many days")->capture_default_str();
  command->add_option("--seed", arguments->plan.seed, "Which history: any number")->capture_default_str();
  command->add_option("--end", arguments->end, "The UTC day before which it ends, as 2026-11-29; today when absent");
  command->callback([&invocation, arguments] {
    invocation.action = [&invocation, arguments] { return run(invocation, *arguments); };
  });
}

}  // namespace weir::app
