#include "weir/store/engine/process.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace weir::store::engine {

std::optional<ProcessId> process_with(int pid) {
  if (pid <= 0) return std::nullopt;
  std::ifstream in(fmt::format("/proc/{}/stat", pid));
  std::string line;
  if (!std::getline(in, line)) return std::nullopt;
  // The second field is the name in parentheses and may hold anything: count from the last one.
  size_t end = line.rfind(')');
  if (end == std::string::npos) return std::nullopt;
  std::istringstream fields(line.substr(end + 1));
  std::string state, skipped;
  fields >> state;
  if (state == "Z" || state == "X") return std::nullopt;
  constexpr int kStartTimeField = 22;
  for (int field = 4; field < kStartTimeField; ++field) fields >> skipped;
  ProcessId process{pid, 0};
  if (!(fields >> process.start_time)) return std::nullopt;
  return process;
}

bool is_alive(const ProcessId& process) { return process_with(process.pid) == process; }

uint64_t own_memory(const ProcessId& process) {
  std::ifstream in(fmt::format("/proc/{}/statm", process.pid));
  uint64_t size = 0, resident = 0, of_files = 0;
  if (!(in >> size >> resident >> of_files) || of_files > resident) return 0;
  return (resident - of_files) * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

int set_thread_priority(const ProcessId& process, std::string_view name, int nice) {
  int count = 0;
  std::error_code error;
  for (const auto& task : std::filesystem::directory_iterator(fmt::format("/proc/{}/task", process.pid), error)) {
    std::ifstream in(task.path() / "comm");
    std::string comm;
    if (std::getline(in, comm) && comm == name)
      count += setpriority(PRIO_PROCESS, static_cast<id_t>(std::stoul(task.path().filename().string())), nice) == 0;
  }
  return count;
}

std::string format_pid_file(const PidFile& file) {
  return fmt::format("{} {} {} {}\n", file.engine.pid, file.engine.start_time, file.weir.pid, file.weir.start_time);
}

std::optional<PidFile> parse_pid_file(std::string_view text) {
  std::istringstream in{std::string(text)};
  PidFile file;
  if (in >> file.engine.pid >> file.engine.start_time >> file.weir.pid >> file.weir.start_time) return file;
  return std::nullopt;
}

}  // namespace weir::store::engine
