// Runs schedules of the simulation: weir-simulate [--first SEED] [--schedules N] [--jobs N], or one with its story:
// weir-simulate --seed SEED.
#include <fcntl.h>
#include <fmt/format.h>
#include <malloc.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "simulation/world.h"
#include "weir/base/logging.h"

namespace {
using weir::simulation::simulate;
using weir::simulation::Verdict;

double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

std::string line_of(uint64_t seed, const Verdict& verdict) {
  const auto& c = verdict.counts;
  return fmt::format(
      "seed {}: {}\n  {} lives, {} steps, trace {:016x}; sent {}, accepted {}, rows {}, duplicates {}, dead {}, moved "
      "{}, "
      "damaged {}\n",
      seed, verdict.problem.empty() ? "every promise kept" : verdict.problem, verdict.lives, verdict.steps,
      verdict.trace, c.sent, c.accepted, c.rows, c.duplicates, c.dead, c.moved, c.damaged);
}

volatile std::sig_atomic_t running_seed = 0;

// A check of weir's own that fails ends the process: the seed has to be known then too.
void name_the_seed(int signal) {
  fmt::print("seed {}: ended by signal {}\n", static_cast<uint64_t>(running_seed), signal);
  std::fflush(stdout);
  _exit(1);
}

Verdict judged(uint64_t seed, bool narrate) {
  running_seed = static_cast<std::sig_atomic_t>(seed);
  return simulate(seed, narrate, [seed](const std::string& why) {
    fmt::print("seed {}: {}\n", seed, why);
    std::fflush(stdout);
    _exit(1);
  });
}

// Schedules first, first + stride, ... below `end`; the first problem ends it. `twice`: each one again, which has to go
// the same way.
int run_some(uint64_t first, uint64_t end, uint64_t stride, bool twice) {
  weir::simulation::Oracle::Counts sum;
  uint64_t schedules = 0;
  uint64_t lives = 0;
  for (uint64_t seed = first; seed < end; seed += stride) {
    const Verdict verdict = judged(seed, false);
    if (!verdict.problem.empty()) {
      fmt::print("{}", line_of(seed, verdict));
      return 1;
    }
    if (twice && judged(seed, false).trace != verdict.trace) {
      fmt::print("seed {}: another way the second time\n", seed);
      return 1;
    }
    ++schedules;
    lives += verdict.lives;
    sum.accepted += verdict.counts.accepted;
    sum.rows += verdict.counts.rows;
    sum.duplicates += verdict.counts.duplicates;
    sum.dead += verdict.counts.dead;
    sum.damaged += verdict.counts.damaged;
  }
  const double seconds = cpu_seconds();
  fmt::print(
      "{} schedules of {} lives, {:.0f} a second of CPU: {} accepted, {} rows, {} duplicates, {} dead, {} damaged, "
      "every "
      "promise kept\n",
      schedules, lives, static_cast<double>(schedules) / seconds, sum.accepted, sum.rows, sum.duplicates, sum.dead,
      sum.damaged);
  return 0;
}
}  // namespace

int main(int argc, char** argv) {
  // Memory stays with the process: the next schedule asks for the same again.
  constexpr int kNever = 1 << 30;
  mallopt(M_MMAP_THRESHOLD, kNever);
  mallopt(M_TRIM_THRESHOLD, kNever);
  uint64_t first = 1;
  uint64_t schedules = 1000;
  uint64_t jobs = 1;
  bool twice = false;
  std::vector<uint64_t> seeds;
  CLI::App app("Runs weir's journal and loading over a disk and a store that fail, from seeds.");
  app.add_option("--first", first, "The first seed.");
  app.add_option("--schedules", schedules, "How many seeds.");
  app.add_option("--jobs", jobs, "Processes side by side.")->check(CLI::Range(1, 256));
  app.add_flag("--twice", twice, "Each schedule twice: it has to go the same way.");
  app.add_option("--seed", seeds, "These seeds alone, each told as it happens.");
  CLI11_PARSE(app, argc, argv);
  weir::log::configure(seeds.empty() ? weir::log::Level::critical : weir::log::Level::debug, weir::log::Format::text);
  if (!seeds.empty()) {
    int failed = 0;
    for (uint64_t seed : seeds) {
      const Verdict verdict = judged(seed, true);
      fmt::print("{}", line_of(seed, verdict));
      failed |= verdict.problem.empty() ? 0 : 1;
    }
    return failed;
  }
  std::signal(SIGABRT, name_the_seed);
  std::signal(SIGSEGV, name_the_seed);
  std::vector<pid_t> children;
  for (uint64_t job = 0; job + 1 < jobs; ++job) {
    const pid_t child = fork();
    if (child < 0) return 2;
    if (child == 0) {
      const int outcome = run_some(first + job, first + schedules, jobs, twice);
      std::fflush(stdout);
      _exit(outcome);
    }
    children.push_back(child);
  }
  int failed = run_some(first + jobs - 1, first + schedules, jobs, twice);
  for (pid_t child : children) {
    int status = 0;
    waitpid(child, &status, 0);
    failed |= status == 0 ? 0 : 1;
  }
  return failed;
}
