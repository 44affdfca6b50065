#include "weir/http/server.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <cstring>

#include "weir/base/check.h"
#include "weir/base/logging.h"
#include "weir/base/thread.h"
#include "weir/http/connection.h"
#include "weir/http/loop.h"

namespace weir::http {

namespace {

using namespace std::chrono_literals;

using Descriptor = asio::posix::basic_stream_descriptor<asio::io_context::executor_type>;

constexpr int kBacklog = 4096;
// Connections taken in one go before the loop's other work has its turn.
constexpr int kAcceptBurst = 32;
// The Unix socket is the owner's; more than this many at once is a mistake.
constexpr uint64_t kOwnerConnectionsMax = 64;
// After drain_timeout connections are closed and get this long to unwind.
constexpr auto kUnwindTime = 2s;

// A descriptor that is closed unless released.
class Fd {
 public:
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(other.release()) {}
  Fd& operator=(Fd&&) = delete;
  ~Fd() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

std::string errno_text() {
  return std::strerror(errno);
}  // NOLINT(concurrency-mt-unsafe): glibc's is, for known errors

struct Endpoint {
  sockaddr_storage address{};
  socklen_t size = 0;

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&address); }
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&address); }
  void set_port(uint16_t port) {
    if (address.ss_family == AF_INET)
      reinterpret_cast<sockaddr_in&>(address).sin_port = htons(port);
    else
      reinterpret_cast<sockaddr_in6&>(address).sin6_port = htons(port);
  }
  uint16_t port() const {
    if (address.ss_family == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
    return ntohs(reinterpret_cast<const sockaddr_in6&>(address).sin6_port);
  }
  Address ip() const {
    Address out;
    if (address.ss_family == AF_INET) {
      const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
      out.bytes[10] = out.bytes[11] = 0xFF;
      std::memcpy(out.bytes.data() + 12, &v4.sin_addr, 4);
    } else if (address.ss_family == AF_INET6) {
      std::memcpy(out.bytes.data(), &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr, 16);
    }
    return out;
  }
  std::string text() const {
    if (address.ss_family == AF_INET6) return fmt::format("[{}]:{}", ip().text(), port());
    return fmt::format("{}:{}", ip().text(), port());
  }
};

Result<Endpoint> resolve(const std::string& address) {
  const auto bad = [&] {
    return Error{ErrorCode::kBadInput,
                 "http: listen: not HOST:PORT: " + address + " (write 0.0.0.0:8000 or [::]:8000)"};
  };
  const size_t colon = address.rfind(':');
  if (colon == std::string::npos) return bad();
  std::string host = address.substr(0, colon);
  const std::string port = address.substr(colon + 1);
  if (port.empty() || port.size() > 5 || port.find_first_not_of("0123456789") != std::string::npos) return bad();
  if (std::stoi(port) > 65535) return bad();
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string::npos) {
    return bad();
  }
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.empty() ? nullptr : host.c_str(), port.c_str(), &hints, &found) != 0 || found == nullptr)
    return bad();
  Endpoint endpoint;
  std::memcpy(&endpoint.address, found->ai_addr, found->ai_addrlen);
  endpoint.size = found->ai_addrlen;
  freeaddrinfo(found);
  return endpoint;
}

Error bind_error(const std::string& address) {
  if (errno == EADDRINUSE)
    return {ErrorCode::kConflict,
            "http: listen: " + address + " is taken by another program; choose another with --listen HOST:PORT"};
  if (errno == EACCES || errno == EPERM)
    return {ErrorCode::kForbidden,
            "http: listen: " + address + ": " + errno_text() + "; ports below 1024 need a right"};
  if (errno == EADDRNOTAVAIL)
    return {ErrorCode::kBadInput, "http: listen: " + address + " is not an address of this machine"};
  return {ErrorCode::kUnavailable, "http: listen: " + address + ": " + errno_text()};
}

Result<Fd> bind_tcp(const Endpoint& endpoint, bool shared_port) {
  Fd fd(::socket(endpoint.address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (fd.get() < 0) return bind_error(endpoint.text());
  const int on = 1;
  const int off = 0;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (shared_port) ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  // Accepted sockets inherit these. An answer is never held back.
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::setsockopt(fd.get(), SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  // A peer whose machine vanished answers no probe: after two minutes it is gone, however long its handler or stream
  // may take.
  constexpr std::pair<int, int> kProbes[] = {{TCP_KEEPIDLE, 60}, {TCP_KEEPINTVL, 15}, {TCP_KEEPCNT, 4}};
  for (const auto& [option, value] : kProbes) ::setsockopt(fd.get(), IPPROTO_TCP, option, &value, sizeof value);
  if (endpoint.address.ss_family == AF_INET6) ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  if (::bind(fd.get(), endpoint.get(), endpoint.size) != 0) return bind_error(endpoint.text());
  return fd;
}

// Processors this process may use.
unsigned processors() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return static_cast<unsigned>(std::max(1, CPU_COUNT(&set)));
  return std::max(1U, std::thread::hardware_concurrency());
}

// Begins to serve an accepted connection that has its slot. False when there is no memory or epoll watch for it.
bool serve(Loop& loop, Listener& listener, Listener::Slot slot, const Endpoint& peer, Fd fd) {
  try {
    Socket socket(loop.context().get_executor());
    socket.assign(asio::generic::stream_protocol(peer.address.ss_family, 0), fd.get());
    fd.release();
    auto connection = std::make_unique<Connection>(loop, listener, std::move(slot), std::move(socket), peer.ip());
    asio::co_spawn(loop.context(), Connection::run(std::move(connection)), asio::detached);
    return true;
  } catch (const std::exception& e) {
    log::warning("http: cannot serve a connection: {}", e.what());
    return false;
  }
}

// Out of descriptors or memory: the waiting connection stays in the kernel's queue, and accept would be ready again at
// once. Any other error of accept is that one connection's own.
bool is_exhaustion(int error) { return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM; }

// Takes connections for as long as the descriptor is open.
asio::awaitable<void> accept_from(Loop& loop, Listener& listener, Descriptor& descriptor) {
  Shared& shared = loop.shared();
  bool exhausted = false;
  while (!shared.draining) {
    const auto [error] = co_await descriptor.async_wait(Descriptor::wait_read, asio::as_tuple(asio::deferred));
    if (error || shared.draining) co_return;
    for (int burst = 0; burst < kAcceptBurst; ++burst) {
      Endpoint peer;
      peer.size = sizeof peer.address;
      Fd fd(::accept4(descriptor.native_handle(), peer.get(), &peer.size, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (fd.get() < 0) {
        if (errno == EAGAIN) break;
        if (!is_exhaustion(errno)) continue;
        if (!exhausted) log::warning("http: accepting pauses: {}", errno_text());
        exhausted = true;
        shared.metrics.refused(Refusal::descriptors);
        co_await loop.pause_accepting();
        break;
      }
      exhausted = false;
      auto slot = listener.take_slot();
      if (!slot) shared.metrics.refused(Refusal::connections);
      while (!slot) {
        co_await loop.pause_accepting();
        if (shared.draining) co_return;
        auto freed = listener.take_slot();
        if (freed) slot.emplace(std::move(*freed));
      }
      if (!serve(loop, listener, std::move(*slot), peer, std::move(fd))) {
        shared.metrics.refused(Refusal::descriptors);
        co_await loop.pause_accepting();
      }
    }
  }
}

class ServerOfLoops final : public Server {
 public:
  ServerOfLoops(const Options& options, Clock& clock, metrics::Registry& registry)
      : core_(std::make_unique<Core>(options, clock, registry)) {}
  ~ServerOfLoops() override {
    drain_within(0ms);
    for (const UnixFile& file : unix_files_) {
      // Unless another server has put its own there since.
      struct stat info {};
      if (::lstat(file.path.c_str(), &info) == 0 && info.st_dev == file.device && info.st_ino == file.inode)
        ::unlink(file.path.c_str());
    }
    for (const auto& loop : core_->loops) {
      if (!loop->has_connections()) continue;
      // A handler still waits for somebody else's thread, which will resume it through our io_context.
      log::warning("http: a handler outlives the server");
      static_cast<void>(core_.release());
      return;
    }
  }

  Result<> prepare() {
    auto proxies = TrustedProxies::parse(core_->shared.options.trusted_proxies);
    if (!proxies) return std::move(proxies).error();
    core_->shared.proxies = std::move(*proxies);
    auto origins = Origins::parse(core_->shared.options.origins);
    if (!origins) return std::move(origins).error();
    core_->shared.origins = std::move(*origins);
    const uint64_t threads = core_->shared.options.threads;
    for (uint64_t i = 0; i < (threads == 0 ? processors() : threads); ++i)
      core_->loops.push_back(std::make_unique<Loop>(core_->shared));
    return {};
  }

  Result<std::string> listen(const std::string& address, const Router& router) override {
    WEIR_CHECK(threads_.empty());
    auto endpoint = resolve(address);
    if (!endpoint) return std::move(endpoint).error();
    {
      // With SO_REUSEPORT another weir of the same user could share the port and take half of the events without
      // anyone noticing. A socket without it is refused then.
      auto alone = bind_tcp(*endpoint, false);
      if (!alone) return std::move(alone).error();
    }
    std::vector<Fd> bound;
    for (size_t i = 0; i < core_->loops.size(); ++i) {
      auto fd = bind_tcp(*endpoint, true);
      if (!fd) return std::move(fd).error();
      if (endpoint->port() == 0) {
        Endpoint actual;
        actual.size = sizeof actual.address;
        ::getsockname(fd->get(), actual.get(), &actual.size);
        endpoint->set_port(actual.port());
      }
      bound.push_back(std::move(*fd));
    }
    for (const Fd& fd : bound)
      if (::listen(fd.get(), kBacklog) != 0) return bind_error(address);
    Listener& listener = add_listener(router, false, core_->shared.options.connections_max);
    for (size_t i = 0; i < bound.size(); ++i) add_acceptor(*core_->loops[i], listener, std::move(bound[i]));
    return endpoint->text();
  }

  Result<> listen_unix(const std::string& path, const Router& router) override {
    WEIR_CHECK(threads_.empty());
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof address.sun_path)
      return Error{ErrorCode::kBadInput, "http: socket: path is empty or longer than 107 bytes: " + path};
    path.copy(address.sun_path, path.size());
    const auto* generic = reinterpret_cast<const sockaddr*>(&address);
    if (auto cleared = clear_stale(path, generic, sizeof address); !cleared) return cleared;
    Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    // Between bind and listen nobody can connect, so the mode is right before it matters.
    if (fd.get() < 0 || ::bind(fd.get(), generic, sizeof address) != 0 || ::chmod(path.c_str(), 0600) != 0 ||
        ::listen(fd.get(), kBacklog) != 0) {
      const ErrorCode code = errno == EACCES || errno == EPERM ? ErrorCode::kForbidden : ErrorCode::kUnavailable;
      return Error{code, "http: socket: " + path + ": " + errno_text()};
    }
    struct stat info {};
    ::lstat(path.c_str(), &info);
    unix_files_.push_back({path, info.st_dev, info.st_ino});
    add_acceptor(*core_->loops.front(), add_listener(router, true, kOwnerConnectionsMax), std::move(fd));
    return {};
  }

  void start() override {
    WEIR_CHECK(threads_.empty());
    for (auto& acceptor : core_->acceptors)
      asio::co_spawn(acceptor->loop.context(), accept_from(acceptor->loop, acceptor->listener, acceptor->descriptor),
                     asio::detached);
    for (size_t i = 0; i < core_->loops.size(); ++i)
      threads_.emplace_back(fmt::format("http-{}", i), [loop = core_->loops[i].get()] {
        run_promptly();
        loop->run();
      });
  }

  void drain() override { drain_within(core_->shared.options.drain_timeout); }

 private:
  struct Acceptor {
    Loop& loop;
    Listener& listener;
    Descriptor descriptor;
  };
  struct UnixFile {
    std::string path;
    dev_t device;
    ino_t inode;
  };
  // What a connection refers to. In one piece, so that it can be kept alive as one.
  struct Core {
    Core(const Options& options, Clock& clock, metrics::Registry& registry) : shared(options, clock, registry) {}
    Shared shared;
    std::vector<std::unique_ptr<Listener>> listeners;
    std::vector<std::unique_ptr<Loop>> loops;
    std::vector<std::unique_ptr<Acceptor>> acceptors;
  };

  // Removes a socket file whose server is gone.
  static Result<> clear_stale(const std::string& path, const sockaddr* address, socklen_t size) {
    struct stat info {};
    if (::lstat(path.c_str(), &info) != 0) return {};
    if (!S_ISSOCK(info.st_mode))
      return Error{ErrorCode::kConflict, "http: socket: " + path + " exists and is no socket"};
    const Fd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const bool answers = ::connect(probe.get(), address, size) == 0;
    // EAGAIN: its queue is full, so somebody owns it.
    if (answers || errno == EAGAIN)
      return Error{ErrorCode::kConflict, "http: socket: " + path + " is in use by another weir"};
    if (errno == ECONNREFUSED && ::unlink(path.c_str()) == 0) return {};
    return Error{ErrorCode::kForbidden, "http: socket: cannot replace " + path + ": " + errno_text()};
  }

  Listener& add_listener(const Router& router, bool from_owner, uint64_t connections_max) {
    core_->listeners.emplace_back(new Listener{router, from_owner, connections_max});
    return *core_->listeners.back();
  }
  void add_acceptor(Loop& loop, Listener& listener, Fd fd) {
    core_->acceptors.emplace_back(
        new Acceptor{loop, listener, Descriptor(loop.context().get_executor(), fd.release())});
  }

  void drain_within(std::chrono::milliseconds limit) {
    Shared& shared = core_->shared;
    shared.draining = true;
    if (threads_.empty()) return;
    for (auto& acceptor : core_->acceptors)
      asio::post(acceptor->loop.context(), [&acceptor = *acceptor] {
        boost::system::error_code ignored;
        acceptor.descriptor.close(ignored);
      });
    on_every_loop(&Loop::drain);
    if (!wait_for_connections(limit)) {
      log::warning("http: closing connections that did not end within {} ms", limit.count());
      on_every_loop(&Loop::close_all);
      wait_for_connections(kUnwindTime);
    }
    for (auto& loop : core_->loops) loop->stop();
    threads_.clear();
    // Only now are these of no thread any more; the ports are free when drain() returns.
    for (auto& acceptor : core_->acceptors) {
      boost::system::error_code ignored;
      acceptor->descriptor.close(ignored);
    }
  }
  void on_every_loop(void (Loop::*act)()) {
    for (auto& loop : core_->loops) asio::post(loop->context(), [loop = loop.get(), act] { (loop->*act)(); });
  }
  bool wait_for_connections(std::chrono::milliseconds limit) {
    std::unique_lock lock(core_->shared.mutex);
    return core_->shared.none_left.wait_for(lock, limit, [&] { return core_->shared.connections == 0; });
  }

  std::unique_ptr<Core> core_;
  std::vector<UnixFile> unix_files_;
  std::vector<Thread> threads_;
};

}  // namespace

Result<std::unique_ptr<Server>> Server::open(const Options& options, Clock& clock, metrics::Registry& registry) {
  auto server = std::make_unique<ServerOfLoops>(options, clock, registry);
  if (auto prepared = server->prepare(); !prepared) return std::move(prepared).error();
  return std::unique_ptr<Server>(std::move(server));
}

}  // namespace weir::http
