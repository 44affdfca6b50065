#include "weir/store/engine/engine.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <system_error>
#include <thread>

#include "weir/base/bytes.h"
#include "weir/base/clock.h"
#include "weir/base/files.h"
#include "weir/base/http_client.h"
#include "weir/base/logging.h"
#include "weir/base/random.h"
#include "weir/store/engine/child_main.h"
#include "weir/store/engine/config.h"
#include "weir/store/engine/library.h"
#include "weir/store/engine/process.h"

namespace weir::store::engine {

namespace {
using namespace std::chrono_literals;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr auto kOrphanPatience = 5s;
constexpr auto kReadyPatience = 120s;
constexpr auto kStopPatience = 15s;
constexpr auto kLookInterval = 250ms;
constexpr auto kPingInterval = 1s;
constexpr auto kPurgePatience = 1s;
constexpr int kPingsUnansweredMax = 3;
constexpr milliseconds kPauseLeast = 200ms;
constexpr milliseconds kPauseMost = 30s;
constexpr auto kCalmAfter = 60s;  // having lived so long, the next start is not punished for the failures before
// Merging parts takes 5 us a row; it can wait until nobody answers a request. Lower than the engine's other threads.
constexpr int kMergeNice = 19;
constexpr size_t kOutputKept = 4 * KiB;
constexpr uint64_t kMemoryGrown = 32 * MiB;

// As system calls: Debian 12's <sys/pidfd.h> cannot be included by C++.
int pidfd_open(int pid) { return static_cast<int>(syscall(SYS_pidfd_open, pid, 0)); }
void pidfd_kill(int pidfd) { syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, nullptr, 0); }

std::string last_error() { return std::generic_category().message(errno); }
// Without the room's name, which is added where an error leaves.
Error unavailable(std::string message) { return {ErrorCode::kUnavailable, std::move(message)}; }
std::string named(std::string_view message) { return fmt::format("store: engine: {}", message); }

// A file descriptor that is closed on exec and by its destructor.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() { reset(); }
  void reset() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  int get() const { return fd_; }

 private:
  int fd_ = -1;
};

struct Pipe {
  Descriptor read_end;
  Descriptor write_end;
};

// Ends above 10, so that giving them to the child as 0 to 3 never overwrites one of them.
Result<Pipe> make_pipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return unavailable("pipe: " + last_error());
  Descriptor first(ends[0]), second(ends[1]);
  Pipe pipe{Descriptor(fcntl(ends[0], F_DUPFD_CLOEXEC, 10)), Descriptor(fcntl(ends[1], F_DUPFD_CLOEXEC, 10))};
  if (pipe.read_end.get() < 0 || pipe.write_end.get() < 0) return unavailable("pipe: " + last_error());
  return pipe;
}

// A port of 127.0.0.1 that is free now. Somebody may take it before the child does; then another start is made.
uint16_t free_port() {
  Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (socket.get() < 0 || bind(socket.get(), generic, size) != 0 || getsockname(socket.get(), generic, &size) != 0)
    return 0;
  return ntohs(address.sin_port);
}

Result<> write_private(const std::string& path, std::string_view content) {
  FileSystem& files = real_files();
  if (auto removed = files.remove(path); !removed) return removed;
  auto file = files.open(path, FileSystem::Mode::create);
  if (!file) return std::move(file).error();
  return (*file)->write_at(0, content);
}

// Asks the server for its proof. Sends the token of this start only, which is worthless to anybody else.
Result<> ping(HttpClient& client, const Endpoint& endpoint, milliseconds timeout) {
  OutgoingRequest request;
  request.url = endpoint.url + kPingPath;
  request.headers = endpoint.headers;
  request.timeout = timeout;
  request.connect_timeout = timeout;
  request.answer_bytes_max = 4 * KiB;
  auto answer = client.send(request);
  if (!answer) return std::move(answer).error();
  if (answer->status != 200 || !equal_constant_time(answer->header("x-weir-proof"), endpoint.proof))
    return unavailable(fmt::format("something else answers at {}", endpoint.url));
  return {};
}

// The engine's allocator gives back what it has no use for only where threads go on working.
void give_memory_back(HttpClient& client, const Endpoint& endpoint) {
  OutgoingRequest request;
  request.url = endpoint.url + "/";
  request.headers = endpoint.headers;
  request.method = "POST";
  request.body = {"SYSTEM JEMALLOC PURGE"};
  request.timeout = kPurgePatience;
  request.answer_bytes_max = 4 * KiB;
  (void)client.send(request);  // a library without it keeps its memory
}
}  // namespace

struct Engine::Child {
  ProcessId id;
  Descriptor pidfd;
  Descriptor lifeline;  // the child ends when this is closed
  Descriptor status;
  Descriptor output;  // its stdout and stderr
  std::string said;   // the last it wrote there
  std::string config_path, users_path;
  Endpoint endpoint;

  bool ended(milliseconds wait) const {
    pollfd event{pidfd.get(), POLLIN, 0};
    return poll(&event, 1, static_cast<int>(wait.count())) > 0;
  }
  // Takes what it has written; a child must not wait for us to read.
  void listen() {
    char buffer[4096];
    for (ssize_t n; (n = read(output.get(), buffer, sizeof buffer)) > 0;) {
      said.append(buffer, static_cast<size_t>(n));
      if (said.size() > kOutputKept) said.erase(0, said.size() - kOutputKept);
    }
  }
  // Its last line.
  std::string last_words() {
    listen();
    while (!said.empty() && said.back() == '\n') said.pop_back();
    std::string line = said.substr(said.rfind('\n') + 1);
    return line.empty() || line.starts_with("Logging ") ? "it said nothing" : line;
  }
};

Engine::Engine(EngineOptions options) : options_(std::move(options)) {}

Result<std::unique_ptr<Engine>> Engine::start(const EngineOptions& options) {
  if (auto made = real_files().make_directory(options.data_directory); !made) return std::move(made).error();
  EngineOptions absolute = options;
  absolute.data_directory = std::filesystem::absolute(options.data_directory).lexically_normal().string();
  std::unique_ptr<Engine> engine(new Engine(std::move(absolute)));
  engine->wake_fd_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (engine->wake_fd_ < 0) return unavailable(named("eventfd: " + last_error()));
  engine->thread_ = Thread("engine", [self = engine.get()] { self->supervise(); });
  return engine;
}

Engine::~Engine() {
  stop();
  if (wake_fd_ >= 0) ::close(wake_fd_);
}

void Engine::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  uint64_t one = 1;
  [[maybe_unused]] ssize_t n = write(wake_fd_, &one, sizeof one);
  thread_.join();
}

Result<Endpoint> Engine::endpoint() const {
  std::lock_guard lock(mutex_);
  if (!up_) return unavailable(named(reason_));
  return endpoint_;
}

std::string Engine::unconfined() const {
  std::lock_guard lock(mutex_);
  return unconfined_;
}

Result<> Engine::wait_until_up(milliseconds patience) const {
  std::unique_lock lock(mutex_);
  if (changed_.wait_for(lock, patience, [&] { return up_ || stopping_; }) && up_) return {};
  return Error{ErrorCode::kTimeout, named(reason_)};
}

void Engine::publish(const Endpoint& endpoint) {
  std::lock_guard lock(mutex_);
  endpoint_ = endpoint;
  up_ = true;
  changed_.notify_all();
}

void Engine::withdraw(std::string reason) {
  std::lock_guard lock(mutex_);
  up_ = false;
  reason_ = std::move(reason);
}

bool Engine::stopping() const {
  std::lock_guard lock(mutex_);
  return stopping_;
}

// False when it was cut short because weir stops.
bool Engine::pause(milliseconds time) {
  std::unique_lock lock(mutex_);
  return !changed_.wait_for(lock, time, [&] { return stopping_; });
}

void Engine::supervise() {
  milliseconds next_pause = kPauseLeast;
  uint64_t starts = 0;
  int broken_starts = 0;
  while (!stopping()) {
    auto began = steady_clock::now();
    std::string reason;
    if (const std::string why = wanted_aside(); !why.empty()) move_aside(why);
    if (auto gone = await_orphan(); !gone) {
      reason = gone.error().message;
    } else if (auto child = spawn(); !child) {
      reason = child.error().message;
    } else {
      child->endpoint.start = ++starts;
      auto ready = await_ready(*child, child->endpoint);
      if (ready) {
        auto took = std::chrono::duration_cast<milliseconds>(steady_clock::now() - began);
        log::info("store: engine: process {} is up after {} ms", child->id.pid, took.count());
        broken_starts = 0;
        kill(child->id.pid, kStartedSignal);
        publish(child->endpoint);
        reason = watch(*child, child->endpoint);
        withdraw(reason);
      } else {
        reason = ready.error().message;
        broken_starts = child->ended(0ms) && speaks_of_broken_files(reason) ? broken_starts + 1 : 0;
      }
      end(*child);
    }
    if (stopping()) break;
    withdraw(reason);
    if (!wanted_aside().empty()) continue;
    if (broken_starts >= kStartsOfTheBroken) {
      broken_starts = 0;
      set_aside(reason);
    }
    if (steady_clock::now() - began > kCalmAfter) next_pause = kPauseLeast;
    log::error("store: engine: {}; starting it again in {} ms", reason, next_pause.count());
    if (!pause(next_pause)) break;
    next_pause = std::min(next_pause * 2, kPauseMost);
  }
  withdraw("stopped");
}

void Engine::set_aside(const std::string& reason) {
  {
    std::lock_guard lock(mutex_);
    if (!set_aside_.empty()) return;
    if (times_set_aside_ == kSetAsideMax) {
      log::critical("store: engine: {}; its files were set aside {} times already, so it is left as it is", reason,
                    times_set_aside_);
      return;
    }
    set_aside_ = reason;
    changed_.notify_all();
  }
  uint64_t one = 1;
  [[maybe_unused]] ssize_t n = write(wake_fd_, &one, sizeof one);
}

std::string Engine::wanted_aside() const {
  std::lock_guard lock(mutex_);
  return set_aside_;
}

// While no child runs.
void Engine::move_aside(const std::string& reason) {
  uint64_t wakes = 0;
  [[maybe_unused]] ssize_t n = read(wake_fd_, &wakes, sizeof wakes);
  FileSystem& files = real_files();
  std::string stamp = format_rfc3339(SystemClock().now()).substr(0, 19);
  std::erase_if(stamp, [](char c) { return c == '-' || c == ':'; });
  const std::string aside = fmt::format("{}.aside-{}Z", options_.data_directory, stamp);
  const std::string parent = options_.data_directory.substr(0, options_.data_directory.rfind('/'));
  auto moved = files.rename(options_.data_directory, aside);
  if (moved) moved = files.sync_directory(parent);
  if (moved) moved = files.make_directory(options_.data_directory);
  {
    std::lock_guard lock(mutex_);
    set_aside_.clear();
    ++times_set_aside_;
  }
  if (!moved) {
    log::critical("store: engine: {}, and its files cannot be moved aside: {}", reason, moved.error().message);
    return;
  }
  log::critical(
      "store: engine: {}. Its files now lie in {}, and an empty store is filled from the journal. What the journal no "
      "longer keeps is only there: do not delete it before you have looked",
      reason, aside);
}

bool speaks_of_broken_files(std::string_view last_words) {
  if (last_words.find("from metadata file") != std::string_view::npos && last_words.ends_with("(SYNTAX_ERROR)"))
    return true;
  // ClickHouse ends its exceptions with their names. Those that are about what lies in the files, and nothing else: a
  // setting or a library that does not fit must never cost the store.
  for (std::string_view name : {"(TOO_MANY_UNEXPECTED_DATA_PARTS)", "(CORRUPTED_DATA)", "(CHECKSUM_DOESNT_MATCH)",
                                "(NO_FILE_IN_DATA_PART)", "(UNEXPECTED_FILE_IN_DATA_PART)", "(BAD_DATA_PART_NAME)",
                                "(ATTEMPT_TO_READ_AFTER_EOF)", "(CANNOT_READ_ALL_DATA)", "(UNKNOWN_FORMAT_VERSION)"})
    if (last_words.ends_with(name)) return true;
  return false;
}

// Another weir's engine is left alone; an engine whose weir has died ends by itself, or is ended.
Result<> Engine::await_orphan() {
  auto text = read_file(real_files(), options_.data_directory + "/pid", 4 * KiB);
  if (!text) return {};
  auto file = parse_pid_file(*text);
  if (!file || !is_alive(file->engine)) return {};
  if (is_alive(file->weir))
    return unavailable(fmt::format("process {} runs one in {}", file->weir.pid, options_.data_directory));
  log::warning("store: engine: waiting for process {}, which another weir left behind", file->engine.pid);
  Descriptor pidfd(pidfd_open(file->engine.pid));
  if (pidfd.get() < 0 || !is_alive(file->engine)) return {};
  pollfd events[] = {{pidfd.get(), POLLIN, 0}, {wake_fd_, POLLIN, 0}};
  auto patience = static_cast<int>(milliseconds(kOrphanPatience).count());
  if (poll(events, 2, patience) > 0) return {};
  log::warning("store: engine: ending process {}", file->engine.pid);
  pidfd_kill(pidfd.get());
  if (poll(events, 1, patience) > 0) return {};
  return unavailable(fmt::format("process {}, left behind by another weir, does not end", file->engine.pid));
}

Result<Engine::Child> Engine::spawn() {
  const std::string program = engine_program();
  if (program.empty()) return unavailable("cannot start beside a sanitizer: WEIR_ENGINE_PROGRAM names no other weir");
  Config config;
  config.data_directory = options_.data_directory;
  config.port = free_port();
  config.token = to_hex(random_bytes(32));
  config.proof = to_hex(random_bytes(32));
  config.reader_password = to_hex(random_bytes(32));
  config.memory_bytes = std::max(options_.memory_bytes, 300 * MiB);
  if (options_.memory_bytes == 0) config.memory_bytes = default_memory_bytes(machine_memory_bytes());
  config.cores = std::thread::hardware_concurrency();
  if (config.port == 0) return unavailable("no free port on 127.0.0.1");

  Child child;
  child.config_path = options_.data_directory + "/config.xml";
  child.users_path = options_.data_directory + "/users.xml";
  child.endpoint.url = fmt::format("http://127.0.0.1:{}", config.port);
  child.endpoint.headers = {{"X-Weir-Token", config.token}};
  child.endpoint.proof = config.proof;
  child.endpoint.reader_password = config.reader_password;
  if (auto w = write_private(child.config_path, config_xml(config, child.users_path)); !w) return std::move(w).error();
  if (auto w = write_private(child.users_path, users_xml(config)); !w) return std::move(w).error();

  auto lifeline = make_pipe(), status = make_pipe(), output = make_pipe();
  for (auto* pipe : {&lifeline, &status, &output})
    if (!*pipe) return std::move(*pipe).error();
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, lifeline->read_end.get(), 0);
  posix_spawn_file_actions_adddup2(&actions, output->write_end.get(), 1);
  posix_spawn_file_actions_adddup2(&actions, output->write_end.get(), 2);
  posix_spawn_file_actions_adddup2(&actions, status->write_end.get(), 3);
  std::string arguments[] = {"weir",           kEngineArgument,         std::to_string(getpid()),
                             options_.library, options_.data_directory, child.config_path};
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  char* no_environment[] = {nullptr};
  int pid = 0;
  int failed = posix_spawn(&pid, program.c_str(), &actions, nullptr, argv.data(), no_environment);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) return unavailable("cannot start: " + std::generic_category().message(failed));
  pid_ = pid;
  child.pidfd = Descriptor(pidfd_open(pid));
  child.id = process_with(pid).value_or(ProcessId{pid, 0});
  child.lifeline = std::move(lifeline->write_end);
  child.status = std::move(status->read_end);
  child.output = std::move(output->read_end);
  fcntl(child.output.get(), F_SETFL, O_NONBLOCK);
  PidFile file{child.id, process_with(getpid()).value_or(ProcessId{getpid(), 0})};
  auto noted = replace_file(real_files(), options_.data_directory + "/pid", format_pid_file(file));
  if (!noted) {
    end(child);
    return std::move(noted).error();
  }
  return child;
}

Result<> Engine::await_ready(Child& child, const Endpoint& endpoint) {
  auto deadline = steady_clock::now() + kReadyPatience;
  // Its one line: how loading and confining went.
  std::string line;
  while (line.find('\n') == std::string::npos) {
    pollfd events[] = {{child.status.get(), POLLIN, 0}, {wake_fd_, POLLIN, 0}};
    if (poll(events, 2, static_cast<int>(milliseconds(kReadyPatience).count())) <= 0 || events[1].revents != 0)
      return unavailable("it did not start in time");
    char buffer[512];
    ssize_t n = read(child.status.get(), buffer, sizeof buffer);
    if (n <= 0) return unavailable("it ended while starting: " + child.last_words());
    line.append(buffer, static_cast<size_t>(n));
  }
  line.resize(line.find('\n'));
  constexpr std::string_view kUnconfined = "unconfined: ";
  if (line.starts_with("failed: ")) return unavailable(line.substr(8));
  {
    std::lock_guard lock(mutex_);
    unconfined_ = line.starts_with(kUnconfined) ? line.substr(kUnconfined.size()) : std::string();
  }
  HttpClient client;
  while (true) {
    auto answered = ping(client, endpoint, 5s);
    // It has read its configuration when it answers; the secrets need not stay on disk.
    if (answered) {
      (void)real_files().remove(child.config_path);
      (void)real_files().remove(child.users_path);
      return {};
    }
    if (child.ended(5ms)) return unavailable("it ended while starting: " + child.last_words());
    if (stopping()) return unavailable("stopped");
    if (steady_clock::now() > deadline) return unavailable("it did not answer in time: " + answered.error().message);
    child.listen();
  }
}

// Returns why it is over.
std::string Engine::watch(Child& child, const Endpoint& endpoint) {
  HttpClient client;
  int unanswered = 0;
  bool merges_wait = false;
  uint64_t least_memory = own_memory(child.id);
  steady_clock::time_point next_ping;
  while (true) {
    pollfd events[] = {{child.pidfd.get(), POLLIN, 0}, {wake_fd_, POLLIN, 0}};
    poll(events, 2, static_cast<int>(milliseconds(kLookInterval).count()));
    child.listen();
    if (stopping()) return "stopped";
    if (std::string why = wanted_aside(); !why.empty()) return why;
    if (child.ended(0ms)) return fmt::format("process {} ended: {}", child.id.pid, child.last_words());
    if (unanswered == 0 && own_memory(child.id) > least_memory + kMemoryGrown) {
      give_memory_back(client, endpoint);
      least_memory = std::min(least_memory, own_memory(child.id));
    }
    if (steady_clock::now() < next_ping) continue;
    next_ping = steady_clock::now() + kPingInterval;
    // The engine's own setting (os_threads_nice_value_merge_mutate) does nothing in the library, and the threads get
    // their name with their first work.
    if (!merges_wait) merges_wait = set_thread_priority(child.id, "MergeMutate", kMergeNice) > 0;
    unanswered = ping(client, endpoint, options_.ping_timeout) ? 0 : unanswered + 1;
    if (unanswered == kPingsUnansweredMax) {
      kill(child.id.pid, SIGKILL);
      return fmt::format("process {} hung", child.id.pid);
    }
  }
}

void Engine::end(Child& child) {
  child.lifeline.reset();
  auto deadline = steady_clock::now() + kStopPatience;
  while (!child.ended(100ms) && steady_clock::now() < deadline) child.listen();
  if (!child.ended(0ms)) {
    log::warning("store: engine: process {} does not end, ending it by force", child.id.pid);
    kill(child.id.pid, SIGKILL);
  }
  int status = 0;
  while (waitpid(child.id.pid, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = 0;
  for (const std::string& path : {child.config_path, child.users_path, options_.data_directory + "/pid"})
    (void)real_files().remove(path);
}

}  // namespace weir::store::engine
