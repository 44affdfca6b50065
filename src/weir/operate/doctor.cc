#include "weir/operate/doctor.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/landlock.h>
#include <netdb.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "weir/base/bytes.h"
#include "weir/base/clock.h"
#include "weir/base/files.h"

namespace weir::operate {

namespace {
using Findings = std::vector<Finding>;

std::string gib(uint64_t bytes) {
  return fmt::format("{:.1f} GiB", static_cast<double>(bytes) / static_cast<double>(GiB));
}

// The directory itself, or the nearest one above it that exists.
std::string existing(std::string path) {
  while (!real_files().exists(path) && path != "/" && path != ".") path = parent_directory(path);
  return path;
}

void look_at_directory(const std::string& path, Findings& findings) {
  std::string at = existing(path);
  if (at != path) {
    findings.push_back(
        {Verdict::good, fmt::format("data directory: {} does not exist yet; the first start makes it", path), ""});
  } else {
    struct stat info {};
    if (::stat(path.c_str(), &info) == 0 && info.st_uid != ::geteuid())
      findings.push_back(
          {Verdict::bad,
           fmt::format("data directory: {} belongs to user {}, this is user {}", path, info.st_uid, ::geteuid()),
           "run weir as that user, or chown -R the directory"});
    else
      findings.push_back({Verdict::good, fmt::format("data directory: {}", path), ""});
  }
  if (::access(at.c_str(), W_OK | X_OK) != 0)
    findings.push_back({Verdict::bad, fmt::format("data directory: no permission to write to {}", at),
                        "give another one with --data, or change its owner"});
  // Stores whose files could not be read any more (store::engine::Engine).
  auto names = real_files().list(at);
  if (!names) return;
  for (const std::string& name : *names) {
    if (!name.starts_with("clickhouse.aside-")) continue;
    findings.push_back({Verdict::warning, fmt::format("store: an earlier one was set aside: {}/{}", at, name),
                        "the log of that time says why; delete it once the numbers are found to be whole without it"});
  }
}

void look_at_disk(const std::string& path, Findings& findings) {
  std::string at = existing(path);
  auto free = real_files().free_bytes(at);
  auto total = real_files().total_bytes(at);
  if (!free || !total) {
    findings.push_back(
        {Verdict::bad, "disk: " + (!free ? free.error() : total.error()).message, "look at the file system"});
    return;
  }
  std::string what = fmt::format("disk: {} free of {}", gib(*free), gib(*total));
  double share = *total == 0 ? 0 : static_cast<double>(*free) / static_cast<double>(*total);
  if (*free < 1 * GiB || share < 0.05)
    findings.push_back({Verdict::bad, what, "free some space: events are refused when the volume is nearly full"});
  else if (*free < 10 * GiB || share < 0.15)
    findings.push_back({Verdict::warning, what, "plan for more space"});
  else
    findings.push_back({Verdict::good, what, ""});
}

// 32 synced 4 KiB writes: what every answer waits for at least once.
void look_at_sync(const std::string& path, Findings& findings) {
  std::string probe = fmt::format("{}/.weir-doctor-{}", existing(path), ::getpid());
  auto file = real_files().open(probe, FileSystem::Mode::create);
  if (!file) {
    findings.push_back({Verdict::bad, "fsync: " + file.error().message, "weir must be able to write there"});
    return;
  }
  std::string page(4096, 'x');
  std::vector<double> millis;
  Result<> outcome;
  for (uint64_t i = 0; i < 32 && outcome; ++i) {
    auto began = std::chrono::steady_clock::now();
    outcome = (*file)->write_at(i * page.size(), page);
    if (outcome) outcome = (*file)->sync_data();
    millis.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - began).count());
  }
  file->reset();
  (void)real_files().remove(probe);
  if (!outcome) {
    findings.push_back(
        {Verdict::bad, "fsync: " + outcome.error().message, "this disk cannot be trusted with a journal"});
    return;
  }
  std::sort(millis.begin(), millis.end());
  double median = millis[millis.size() / 2];
  std::string what = fmt::format("fsync: median {:.2f} ms, slowest {:.2f} ms", median, millis.back());
  if (median > 20)
    findings.push_back(
        {Verdict::warning, what, "every answer waits for one: use a faster disk for the data directory"});
  else if (median < 0.01)
    findings.push_back({Verdict::warning, what,
                        "too fast to be a disk: in memory (tmpfs), or a file system that ignores fsync; a power cut "
                        "would lose events"});
  else
    findings.push_back({Verdict::good, what, ""});
}

void look_at_clock(Findings& findings) {
  SystemClock clock;
  UnixMillis now = clock.now();
  std::string what = "clock: " + format_rfc3339(now);
  struct timex state {};
  int synced = ::adjtimex(&state);
  // No weir is older than this.
  if (now < 1'760'000'000'000)
    findings.push_back({Verdict::bad, what, "the clock is in the past: set it, events would get wrong times"});
  else if (synced == TIME_ERROR || (state.status & STA_UNSYNC) != 0)
    findings.push_back(
        {Verdict::warning, what + ", not synchronised", "run a time service (systemd-timesyncd, chrony)"});
  else
    findings.push_back({Verdict::good, what + ", synchronised", ""});
}

void look_at_memory(Findings& findings) {
  std::ifstream info("/proc/meminfo");
  std::string key;
  uint64_t total = 0;
  uint64_t available = 0;
  for (uint64_t value = 0; info >> key >> value; info.ignore(64, '\n')) {
    if (key == "MemTotal:") total = value * KiB;
    if (key == "MemAvailable:") available = value * KiB;
  }
  std::string what = fmt::format("memory: {} available of {}", gib(available), gib(total));
  if (total < 900 * MiB)
    findings.push_back({Verdict::bad, what, "1 GiB is the least for all roles on one machine"});
  else if (available < 512 * MiB)
    findings.push_back({Verdict::warning, what, "other programs leave little for the store"});
  else
    findings.push_back({Verdict::good, what, ""});
}

void look_at_descriptors(Findings& findings) {
  struct rlimit limit {};
  getrlimit(RLIMIT_NOFILE, &limit);
  std::string what = fmt::format("descriptors: {} (at most {})", limit.rlim_cur, limit.rlim_max);
  if (limit.rlim_max < 4096)
    findings.push_back(
        {Verdict::warning, what, "raise the limit (LimitNOFILE= in systemd, ulimit -n): each connection takes one"});
  else
    findings.push_back({Verdict::good, what, ""});
}

// Why HOST:PORT cannot be bound, or empty.
std::string cannot_bind(const std::string& address) {
  size_t colon = address.rfind(':');
  if (colon == std::string::npos) return "not HOST:PORT";
  std::string host = address.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  addrinfo hints{};
  hints.ai_flags = AI_PASSIVE;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (int error = ::getaddrinfo(host.c_str(), address.c_str() + colon + 1, &hints, &found); error != 0)
    return ::gai_strerror(error);
  std::string reason;
  int fd = ::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int yes = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (::bind(fd, found->ai_addr, found->ai_addrlen) != 0 || ::listen(fd, 1) != 0)
    reason = std::generic_category().message(errno);
  ::close(fd);
  ::freeaddrinfo(found);
  return reason;
}

void look_at_ports(const Patient& patient, Findings& findings) {
  for (const auto& [option, address] : patient.listeners) {
    if (patient.server_runs) {
      findings.push_back(
          {Verdict::good, fmt::format("port: {} is {}, held by the running server", address, option), ""});
      continue;
    }
    std::string reason = cannot_bind(address);
    if (reason.empty())
      findings.push_back({Verdict::good, fmt::format("port: {} is free for {}", address, option), ""});
    else
      findings.push_back({Verdict::bad, fmt::format("port: {} for {}: {}", address, option, reason),
                          fmt::format("stop what holds it (ss -ltnp), or choose another with --{}", option)});
  }
}

void look_at_store(const Patient& patient, Findings& findings) {
  if (!patient.store_url.empty()) {
    findings.push_back({Verdict::good, "store: a ClickHouse server of yours (store.url)", ""});
    return;
  }
  if (patient.engine_library.empty())
    findings.push_back({Verdict::bad, "store: the ClickHouse library libchdb.so was not found",
                        "install weir with its library, or name a server with --store.url"});
  else
    findings.push_back({Verdict::good, "store: private ClickHouse from " + patient.engine_library, ""});
  long abi = ::syscall(__NR_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  if (abi < 1)
    findings.push_back({Verdict::warning, "confinement: this kernel has no Landlock",
                        "people's SQL is refused here, because the engine could read any file; a kernel from 5.13 on "
                        "with Landlock enabled helps"});
  else
    findings.push_back({Verdict::good, fmt::format("confinement: Landlock, version {}", abi), ""});
}
}  // namespace

std::vector<Finding> examine(const Patient& patient) {
  Findings findings;
  look_at_directory(patient.data_directory, findings);
  look_at_disk(patient.data_directory, findings);
  look_at_sync(patient.data_directory, findings);
  look_at_clock(findings);
  look_at_memory(findings);
  look_at_descriptors(findings);
  look_at_ports(patient, findings);
  look_at_store(patient, findings);
  return findings;
}

}  // namespace weir::operate
