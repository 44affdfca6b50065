#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weir::store::engine {

// A process that cannot be mistaken for a later one with the same number.
struct ProcessId {
  int pid = 0;
  uint64_t start_time = 0;  // of the kernel, in ticks since boot
  bool operator==(const ProcessId&) const = default;
};

// The process that has this number now, or nothing. A zombie is nothing.
std::optional<ProcessId> process_with(int pid);
bool is_alive(const ProcessId& process);

// Bytes of memory that a process holds of its own, not counting what it maps from files; 0: not known.
uint64_t own_memory(const ProcessId& process);

// Sets the priority (nice) of those threads of a process that have this name; answers how many have it now.
int set_thread_priority(const ProcessId& process, std::string_view name, int nice);

// The engine and the weir that started it, as DATA/clickhouse/pid holds them: "PID START PARENT PARENT_START\n".
struct PidFile {
  ProcessId engine;
  ProcessId weir;
};
std::string format_pid_file(const PidFile& file);
std::optional<PidFile> parse_pid_file(std::string_view text);

}  // namespace weir::store::engine
