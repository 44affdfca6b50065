#include "weir/store/engine/child_main.h"

#include <dirent.h>
#include <dlfcn.h>
#include <fmt/format.h>
#include <link.h>
#include <linux/close_range.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "weir/store/engine/landlock.h"

namespace weir::store::engine {

namespace {
constexpr int kStatusFd = 3;
constexpr int kNice = 10;
constexpr unsigned kOrphanSecondsMax = 10;

pid_t parent = 0;

void say(std::string line) {
  line += '\n';
  [[maybe_unused]] ssize_t n = ::write(kStatusFd, line.data(), line.size());
}

int fail(std::string_view why) {
  say(fmt::format("failed: {}", why));
  return 1;
}

// A service manager may signal every process of weir at once. The engine goes on, because weir still has events to
// hand over; it ends when weir closes the pipe. Only an orphan that does not end by itself is ended by the alarm.
void on_signal(int) {
  if (getppid() != parent) alarm(kOrphanSecondsMax);
}

// The parts of the library that are never written to.
struct Segment {
  void* begin = nullptr;
  size_t bytes = 0;
};
std::array<Segment, 8> segments;  // as many as there are, then empty ones

// `symbol`: one of the library's.
void find_segments(const void* symbol) {
  Dl_info library{};
  if (dladdr(symbol, &library) == 0) return;
  auto note = [](dl_phdr_info* info, size_t, void* base) {
    if (info->dlpi_addr != reinterpret_cast<uintptr_t>(base)) return 0;
    const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    size_t count = 0;
    for (size_t i = 0; i < info->dlpi_phnum && count < segments.size(); ++i) {
      const ElfW(Phdr)& header = info->dlpi_phdr[i];
      if (header.p_type != PT_LOAD || (header.p_flags & PF_W) != 0) continue;
      const size_t begin = header.p_vaddr / page * page;
      const size_t end = (header.p_vaddr + header.p_filesz) / page * page;
      segments.at(count++) = {static_cast<char*>(base) + begin, end - begin};
    }
    return 1;
  };
  dl_iterate_phdr(note, library.dli_fbase);
}

// What is needed again comes back from the file.
void on_started(int) {
  for (const Segment& segment : segments)
    if (segment.bytes > 0) madvise(segment.begin, segment.bytes, MADV_DONTNEED);
}

void prepare_process() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  for (int signal : {SIGTERM, SIGINT, SIGHUP, SIGQUIT}) sigaction(signal, &action, nullptr);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGALRM, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  prctl(PR_SET_PDEATHSIG, SIGTERM);  // a second belt beside the pipe
  // A terminal's Ctrl-C is for weir. Not a session of its own: the scheduler would then give the engine half of a busy
  // machine, whatever its priority (autogroups).
  setpgid(0, 0);

  rlimit none_at_all{0, 0};
  setrlimit(RLIMIT_CORE, &none_at_all);
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
  }
  setpriority(PRIO_PROCESS, 0, kNice);
  syscall(SYS_close_range, kStatusFd + 1, ~0u, 0);
}

size_t thread_count() {
  size_t count = 0;
  DIR* tasks = opendir("/proc/self/task");
  if (tasks == nullptr) return 1;               // without /proc we cannot know
  while (const dirent* entry = readdir(tasks))  // NOLINT(concurrency-mt-unsafe): a stream of our own
    if (entry->d_name[0] != '.') ++count;
  closedir(tasks);
  return count;
}

// What the engine may touch. Not /proc/<pid>: the environment and memory of processes are there.
std::vector<Allowed> allowed_places(const std::string& data_directory) {
  using Use = Allowed::Use;
  std::vector<Allowed> places = {{data_directory, Use::write}, {"/dev/null", Use::write}};
  for (const char* path : {"/dev/urandom",
                           "/dev/random",
                           "/usr/share/zoneinfo",
                           "/etc/localtime",
                           "/etc/timezone",
                           "/etc/resolv.conf",
                           "/etc/hosts",
                           "/etc/nsswitch.conf",
                           "/etc/host.conf",
                           "/etc/gai.conf",
                           "/etc/services",
                           "/etc/ssl/certs",
                           "/etc/ssl/openssl.cnf",
                           "/usr/share/ca-certificates",
                           "/proc/meminfo",
                           "/proc/cpuinfo",
                           "/proc/stat",
                           "/proc/loadavg",
                           "/proc/sys/vm/overcommit_memory",
                           "/proc/sys/kernel/pid_max",
                           "/sys/devices/system/cpu",
                           "/sys/fs/cgroup",
                           "/sys/kernel/mm/transparent_hugepage"})
    places.push_back({path, Use::read});
  for (const char* path :
       {"/proc/self/statm", "/proc/self/stat", "/proc/self/cgroup", "/proc/self/mountinfo", "/proc/self/task"})
    places.push_back({path, Use::read});
  // Name lookups load these when they are first needed.
  for (const char* path : {"/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu"}) places.push_back({path, Use::read});
  return places;
}

// libchdb's answer to query_stable_v2.
struct LocalResult {
  char* buffer;
  size_t length;
  void* vector;
  double elapsed;
  uint64_t rows_read;
  uint64_t bytes_read;
  char* error_message;
};
}  // namespace

int engine_main(int argc, char** argv) {
  if (argc != 6) return 2;
  parent = static_cast<pid_t>(std::strtol(argv[2], nullptr, 10));
  std::string library = argv[3], data_directory = argv[4], config_file = argv[5];
  prepare_process();
  if (getppid() != parent) return fail("the parent is gone");

  void* handle = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) return fail(fmt::format("cannot load {}: {}", library, dlerror()));
  auto run = reinterpret_cast<LocalResult* (*)(int, char**)>(dlsym(handle, "query_stable_v2"));
  auto set_signal_handlers = reinterpret_cast<void (*)(int)>(dlsym(handle, "chdb_set_signal_handlers_enabled"));
  if (run == nullptr || set_signal_handlers == nullptr) return fail(library + " is not the engine's library");
  set_signal_handlers(0);
  find_segments(dlsym(handle, "query_stable_v2"));
  signal(kStartedSignal, on_started);

  // Landlock binds this thread and those it starts: it must come before the engine's.
  if (thread_count() != 1) return fail("the library started threads of its own");
  auto restricted = restrict_to(allowed_places(data_directory));
  say(restricted ? "confined" : "unconfined: " + restricted.error().message);
  close(kStatusFd);

  // Reading standard input never ends while weir lives; when it ends, so does the engine, in order.
  constexpr const char* kLastStatement =
      "--query=SYSTEM START LISTEN HTTP; INSERT INTO FUNCTION null('s String') SELECT * FROM file('/dev/stdin', "
      "'LineAsString', 's String') SETTINGS max_execution_time = 0, max_threads = 1";
  std::vector<std::string> arguments = {"clickhouse", "--path=" + data_directory, "--config-file=" + config_file,
                                        "--log-level=warning", kLastStatement};
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  // In a thread of its own: asking for the bounds of the first thread's stack would need /proc/self/maps.
  LocalResult* result = nullptr;
  std::thread([&] { result = run(static_cast<int>(pointers.size()), pointers.data()); }).join();
  if (result != nullptr && result->error_message != nullptr) {
    fmt::print(stderr, "{}\n", result->error_message);
    _exit(1);  // the library's own teardown is known to crash; nothing is left to be written
  }
  _exit(0);
}

}  // namespace weir::store::engine
