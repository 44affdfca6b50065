#include "weir/app/serve.h"

#include <fmt/format.h>
#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>

#include "weir/app/invocation.h"
#include "weir/app/server_parts.h"
#include "weir/base/logging.h"

namespace weir::app {

namespace {
log::Level level_named(const std::string& name) {
  if (name == "debug") return log::Level::debug;
  if (name == "warning") return log::Level::warning;
  if (name == "error") return log::Level::error;
  if (name == "critical") return log::Level::critical;
  return log::Level::info;
}

// A connection takes a descriptor: use all the machine grants.
void raise_descriptor_limit() {
  struct rlimit limit {};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
}

// A batch on its way into the store is made of blocks of some megabytes. Once one was freed, the allocator would take
// the next from its heaps, which grow with each thread that does and are not given back.
void give_large_blocks_back() {
  mallopt(M_MMAP_THRESHOLD, 1 << 20);
  mallopt(M_TRIM_THRESHOLD, 16 << 20);  // else what is between requests goes and comes
}

// Takes requests until whoever sends them has seen that /ready answers 503. Another signal cuts it short.
void wait_for_the_balancer(ServerParts& parts, std::chrono::milliseconds delay, const sigset_t& signals) {
  if (!parts.announce_stop() || delay.count() == 0) return;
  log::info("app: taking requests for another {} ms, until nobody sends any", delay.count());
  const timespec time{delay.count() / 1000, delay.count() % 1000 * 1'000'000};
  sigtimedwait(&signals, nullptr, &time);
}

int serve(const Invocation& invocation) {
  const config::Options& options = invocation.options();
  log::configure(level_named(options.log.level), options.log.format == "json" ? log::Format::json : log::Format::text);
  raise_descriptor_limit();
  give_large_blocks_back();
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // a file size limit then is an error of the write, like a full disk

  // Blocked before the first thread starts, so that only sigwait() below sees them.
  sigset_t signals;
  sigemptyset(&signals);
  for (int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  auto parts = ServerParts::open(invocation);
  if (!parts) {
    log::flush();
    std::fprintf(stderr, "weir: %s\n", parts.error().message.c_str());
    return 1;
  }
  std::fputs((*parts)->greeting().c_str(), stdout);
  std::fflush(stdout);

  while (true) {
    int signal = 0;
    sigwait(&signals, &signal);
    if (signal == SIGHUP) continue;  // a closed terminal is no reason to stop collecting
    log::info("app: stopping");
    break;
  }
  wait_for_the_balancer(**parts, options.serve.drain_delay, signals);
  // A second signal ends the process at once; what was answered is in the journal.
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  std::signal(SIGTERM, SIG_DFL);
  std::signal(SIGINT, SIG_DFL);
  int outcome = (*parts)->stop();
  parts->reset();
  log::info("app: stopped");
  log::flush();
  return outcome;
}
}  // namespace

void add_serve_command(CLI::App& cli, Invocation& invocation) {
  cli.add_subcommand("serve", "Run: collect, load and answer")->callback([&invocation] {
    invocation.action = [&invocation] { return serve(invocation); };
  });
}

}  // namespace weir::app
