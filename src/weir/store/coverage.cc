#include "weir/store/coverage.h"

#include <algorithm>

namespace weir::store {

namespace {
constexpr int64_t kDay = 86'400;
// Touches are remembered by day, of so many days at most; those forgotten first are the oldest touches.
constexpr size_t kTouchesMax = 20'000;

int64_t day_before(int64_t second) { return second >= 0 ? second / kDay : -((-second + kDay - 1) / kDay); }
}  // namespace

void Coverage::replace(std::vector<Covered> all) {
  std::lock_guard lock(mutex_);
  trusted_ = false;
  replaced_at_ = std::chrono::steady_clock::now();
  for (auto& [id, project] : projects_) project.spans.clear();
  for (const Covered& covered : all) projects_[covered.project].spans.push_back(covered.span);
  for (auto& [id, project] : projects_)
    std::sort(project.spans.begin(), project.spans.end(), [](const Span& a, const Span& b) { return a.from < b.from; });
}

void Coverage::trust() {
  std::lock_guard lock(mutex_);
  trusted_ = true;
  trust_.notify_all();
}

void Coverage::await_trust(ProjectId id, int64_t from, int64_t to, std::chrono::milliseconds patience,
                           const std::function<bool()>& abandoned) const {
  constexpr std::chrono::milliseconds kAskAgain{200};
  std::unique_lock lock(mutex_);
  const Moment until = std::min(std::chrono::steady_clock::now() + patience, replaced_at_ + kTrustPatience);
  auto waits = [&] {
    const auto project = projects_.find(id);
    return !trusted_ && project != projects_.end() &&
           std::any_of(project->second.spans.begin(), project->second.spans.end(),
                       [&](const Span& span) { return !span.empty && span.from < to && from < span.to; });
  };
  while (waits() && std::chrono::steady_clock::now() < until) {
    trust_.wait_until(lock, std::min(until, std::chrono::steady_clock::now() + kAskAgain));
    if (!abandoned) continue;
    lock.unlock();
    if (abandoned()) return;
    lock.lock();
  }
}

bool Coverage::trusted() const {
  std::lock_guard lock(mutex_);
  return trusted_;
}

Coverage::Change Coverage::begins(std::span<const Touched> touched) {
  std::lock_guard lock(mutex_);
  Change change;
  change.number = next_change_++;
  const Moment now = std::chrono::steady_clock::now();
  for (const Touched& each : touched) {
    Project& project = projects_[each.project];
    for (int64_t day = day_before(each.from); day <= day_before(each.to - 1); ++day)
      project.touches[day] = {change.number, now};
    while (project.touches.size() > kTouchesMax) {
      auto oldest = std::min_element(project.touches.begin(), project.touches.end(),
                                     [](const auto& a, const auto& b) { return a.second.number < b.second.number; });
      project.touches.erase(oldest);
    }
    std::erase_if(project.spans, [&](const Span& span) {
      if (!overlap(each, each.project, span.from, span.to)) return false;
      to_note_.push_back({each.project, span});
      return true;
    });
  }
  under_way_[change.number].touched.assign(touched.begin(), touched.end());
  change.uncovered = to_note_;
  return change;
}

void Coverage::noted(std::span<const Covered> uncovered) {
  std::lock_guard lock(mutex_);
  std::erase_if(to_note_, [&](const Covered& waiting) {
    return std::any_of(uncovered.begin(), uncovered.end(), [&](const Covered& done) {
      return done.project == waiting.project && done.span.version == waiting.span.version;
    });
  });
}

void Coverage::ended(uint64_t change, bool known) {
  std::lock_guard lock(mutex_);
  auto at = under_way_.find(change);
  if (at == under_way_.end()) return;
  if (known) {
    under_way_.erase(at);
  } else {
    at->second.ended = true;
    at->second.at = std::chrono::steady_clock::now();
  }
}

bool Coverage::in_doubt(Moment& latest) const {
  std::lock_guard lock(mutex_);
  bool any = false;
  for (const auto& [number, change] : under_way_) {
    if (!change.ended) continue;
    latest = any ? std::max(latest, change.at) : change.at;
    any = true;
  }
  return any;
}

void Coverage::nothing_under_way(Moment moment) {
  std::lock_guard lock(mutex_);
  std::erase_if(under_way_, [&](const auto& change) { return change.second.ended && change.second.at <= moment; });
}

bool Coverage::overlap(const Touched& touched, ProjectId project, int64_t from, int64_t to) {
  return touched.project == project && touched.from < to && from < touched.to;
}

Coverage::Touch Coverage::last_touch(ProjectId project, int64_t from, int64_t to) const {
  Touch last{0, Moment::min()};
  auto of = projects_.find(project);
  if (of == projects_.end()) return last;
  const auto& touches = of->second.touches;
  for (auto at = touches.lower_bound(day_before(from)); at != touches.end() && at->first <= day_before(to - 1); ++at)
    if (at->second.number > last.number) last = at->second;
  return last;
}

uint64_t Coverage::touched(ProjectId project, int64_t from, int64_t to) const {
  std::lock_guard lock(mutex_);
  return last_touch(project, from, to).number;
}

Coverage::Moment Coverage::touched_at(ProjectId project, int64_t from, int64_t to) const {
  std::lock_guard lock(mutex_);
  return last_touch(project, from, to).at;
}

bool Coverage::may_build(ProjectId project, int64_t from, int64_t to, uint64_t& since) const {
  std::lock_guard lock(mutex_);
  for (const auto& [number, change] : under_way_)
    for (const Touched& touched : change.touched)
      if (overlap(touched, project, from, to)) return false;
  since = next_change_;
  return true;
}

bool Coverage::publish(ProjectId project, const Span& span, uint64_t since) {
  std::lock_guard lock(mutex_);
  if (last_touch(project, span.from, span.to).number >= since) return false;
  // A touch of a day may have been forgotten for younger ones.
  for (const auto& [number, change] : under_way_)
    for (const Touched& touched : change.touched)
      if (overlap(touched, project, span.from, span.to)) return false;
  auto& spans = projects_[project].spans;
  spans.insert(
      std::upper_bound(spans.begin(), spans.end(), span, [](const Span& a, const Span& b) { return a.from < b.from; }),
      span);
  return true;
}

void Coverage::withdraw(ProjectId project, uint32_t version) {
  std::lock_guard lock(mutex_);
  std::erase_if(projects_[project].spans, [&](const Span& span) { return span.version == version; });
}

bool Coverage::has(ProjectId project, uint32_t version) const {
  std::lock_guard lock(mutex_);
  auto of = projects_.find(project);
  return of != projects_.end() && std::any_of(of->second.spans.begin(), of->second.spans.end(),
                                              [&](const Span& span) { return span.version == version; });
}

std::vector<Coverage::Span> Coverage::spans(ProjectId project) const {
  std::lock_guard lock(mutex_);
  auto of = projects_.find(project);
  return of == projects_.end() || !trusted_ ? std::vector<Span>() : of->second.spans;
}

std::vector<Coverage::Covered> Coverage::all() const {
  std::lock_guard lock(mutex_);
  std::vector<Covered> all;
  for (const auto& [id, project] : projects_)
    for (const Span& span : project.spans) all.push_back({id, span});
  return all;
}

}  // namespace weir::store
