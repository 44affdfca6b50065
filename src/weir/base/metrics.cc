#include "weir/base/metrics.h"

#include <dirent.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <ctime>

#include "weir/base/check.h"

namespace weir::metrics {

namespace {
void append_escaped(std::string& out, std::string_view value) {
  for (char c : value) {
    if (c == '\\')
      out += "\\\\";
    else if (c == '"')
      out += "\\\"";
    else if (c == '\n')
      out += "\\n";
    else
      out.push_back(c);
  }
}

std::string render_labels(const Labels& labels) {
  std::string out;
  size_t size = 0;
  for (const auto& [name, value] : labels) size += name.size() + value.size() + 4;
  out.reserve(size);
  for (const auto& [name, value] : labels) {
    if (!out.empty()) out.push_back(',');
    out.append(name).append("=\"");
    append_escaped(out, value);
    out.push_back('"');
  }
  return out;
}

std::string with_braces(std::string_view labels) {
  return labels.empty() ? std::string() : fmt::format("{{{}}}", labels);
}

// Seconds since 1970 when this process started; read once, early enough.
const double kStarted = static_cast<double>(std::time(nullptr));

void append_process(std::string& out) {
  struct rusage usage {};
  getrusage(RUSAGE_SELF, &usage);
  auto seconds = [](const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6; };
  out += fmt::format(
      "# HELP process_cpu_seconds_total User and system CPU time.\n# TYPE process_cpu_seconds_total counter\n"
      "process_cpu_seconds_total {}\n",
      seconds(usage.ru_utime) + seconds(usage.ru_stime));
  long pages = 0;
  long resident = 0;
  if (std::FILE* f = std::fopen("/proc/self/statm", "re")) {
    if (std::fscanf(f, "%ld %ld", &pages, &resident) != 2) resident = 0;
    std::fclose(f);
  }
  out += fmt::format(
      "# HELP process_resident_memory_bytes Resident memory.\n# TYPE process_resident_memory_bytes gauge\n"
      "process_resident_memory_bytes {}\n",
      resident * sysconf(_SC_PAGESIZE));
  int descriptors = 0;
  if (DIR* dir = opendir("/proc/self/fd")) {
    while (readdir(dir) != nullptr) ++descriptors;  // NOLINT(concurrency-mt-unsafe): a stream of our own
    closedir(dir);
    descriptors -= 3;  // ".", ".." and the directory itself
  }
  out += fmt::format(
      "# HELP process_open_fds Open file descriptors.\n# TYPE process_open_fds gauge\nprocess_open_fds {}\n",
      descriptors);
  out += fmt::format(
      "# HELP process_start_time_seconds When the process started.\n# TYPE process_start_time_seconds gauge\n"
      "process_start_time_seconds {}\n",
      kStarted);
}
}  // namespace

Histogram::Histogram(std::vector<double> bounds)
    : bounds_(std::move(bounds)), buckets_(new std::atomic<uint64_t>[bounds_.size() + 1] {}) {
  WEIR_CHECK(std::is_sorted(bounds_.begin(), bounds_.end()));
}

void Histogram::observe(double value) {
  auto at = static_cast<size_t>(std::lower_bound(bounds_.begin(), bounds_.end(), value) - bounds_.begin());
  buckets_[at].fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(value, std::memory_order_relaxed);
}

std::vector<double> seconds_bounds() {
  return {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10};
}

struct Registry::Family {
  std::string help;
  std::string type;
  std::map<std::string, std::unique_ptr<Counter>> counters;  // by rendered labels
  std::map<std::string, std::unique_ptr<Gauge>> gauges;
  std::map<std::string, std::unique_ptr<Histogram>> histograms;
};

Registry::Registry() = default;
Registry::~Registry() = default;

Registry::Family& Registry::family(std::string_view name, std::string_view help, std::string_view type) {
  auto at = families_.find(name);
  if (at == families_.end()) {
    at = families_.emplace(std::string(name), std::make_unique<Family>()).first;
    at->second->help = help;
    at->second->type = type;
  }
  WEIR_CHECK(at->second->type == type);
  return *at->second;
}

Counter& Registry::counter(std::string_view name, std::string_view help, const Labels& labels) {
  std::lock_guard lock(mutex_);
  auto& slot = family(name, help, "counter").counters[render_labels(labels)];
  if (!slot) slot = std::make_unique<Counter>();
  return *slot;
}

Gauge& Registry::gauge(std::string_view name, std::string_view help, const Labels& labels) {
  std::lock_guard lock(mutex_);
  auto& slot = family(name, help, "gauge").gauges[render_labels(labels)];
  if (!slot) slot = std::make_unique<Gauge>();
  return *slot;
}

Histogram& Registry::histogram(std::string_view name, std::string_view help, std::vector<double> bounds,
                               const Labels& labels) {
  std::lock_guard lock(mutex_);
  auto& slot = family(name, help, "histogram").histograms[render_labels(labels)];
  if (!slot) slot = std::make_unique<Histogram>(std::move(bounds));
  return *slot;
}

void Registry::before_write(std::function<void()> refresh) {
  std::lock_guard lock(mutex_);
  refreshers_.push_back(std::move(refresh));
}

std::string Registry::text() {
  std::vector<std::function<void()>> refreshers;
  {
    std::lock_guard lock(mutex_);
    refreshers = refreshers_;
  }
  for (auto& refresh : refreshers) refresh();

  std::string out;
  std::lock_guard lock(mutex_);
  for (const auto& [name, family] : families_) {
    out += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, family->help, name, family->type);
    for (const auto& [labels, counter] : family->counters)
      out += fmt::format("{}{} {}\n", name, with_braces(labels), counter->value());
    for (const auto& [labels, gauge] : family->gauges)
      out += fmt::format("{}{} {}\n", name, with_braces(labels), gauge->value());
    for (const auto& [labels, histogram] : family->histograms) {
      std::string comma = labels.empty() ? "" : labels + ",";
      uint64_t total = 0;
      for (size_t i = 0; i <= histogram->bounds().size(); ++i) {
        total += histogram->bucket(i);
        std::string bound = i < histogram->bounds().size() ? fmt::format("{}", histogram->bounds()[i]) : "+Inf";
        out += fmt::format("{}_bucket{{{}le=\"{}\"}} {}\n", name, comma, bound, total);
      }
      out += fmt::format("{}_sum{} {}\n{}_count{} {}\n", name, with_braces(labels), histogram->sum(), name,
                         with_braces(labels), total);
    }
  }
  append_process(out);
  return out;
}

}  // namespace weir::metrics
