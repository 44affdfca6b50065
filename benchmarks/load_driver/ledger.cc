#include "load_driver/ledger.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <iterator>

namespace weir::bench {

std::string_view name_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::accepted:
      return "accepted";
    case Outcome::rejected:
      return "rejected";
    case Outcome::dropped:
      return "dropped";
    case Outcome::refused:
      return "refused";
    case Outcome::unanswered:
      return "unanswered";
  }
  return "unknown";
}

Result<std::unique_ptr<Ledger>> Ledger::create(const std::string& path) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0) return Error{ErrorCode::kUnavailable, "load: " + path + ": " + std::strerror(errno)};
  return std::unique_ptr<Ledger>(new Ledger(file));
}

Ledger::~Ledger() { ::close(file_); }

Result<> Ledger::write(std::string_view lines) {
  const std::lock_guard lock(mutex_);
  while (!lines.empty()) {
    const ssize_t n = ::write(file_, lines.data(), lines.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Error{ErrorCode::kUnavailable, std::string("load: acknowledged ids: ") + std::strerror(errno)};
    lines.remove_prefix(static_cast<size_t>(n));
  }
  return {};
}

void append_ledger_line(std::string& out, std::string_view id, int status, Outcome outcome) {
  fmt::format_to(std::back_inserter(out), "{}\t{}\t{}\n", id, status, name_of(outcome));
}

}  // namespace weir::bench
