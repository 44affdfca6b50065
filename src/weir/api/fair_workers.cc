#include "weir/api/fair_workers.h"

#include <algorithm>
#include <utility>

namespace weir::api {

FairWorkers::FairWorkers(const std::string& name, size_t threads, size_t waiting_max)
    : waiting_max_(waiting_max), running_max_(std::max<size_t>(threads, 2) - 1) {
  try {
    for (size_t i = 0; i < threads; ++i) threads_.emplace_back(name, [this] { serve(); });
  } catch (...) {
    stop();  // those that were started wait for work
    throw;
  }
}

Result<> FairWorkers::post(const Asker& asker, Work work) {
  std::vector<Work> gone;
  Result<> room;
  {
    std::lock_guard lock(mutex_);
    room = check_room(asker);
    if (!room && !stopping_) {
      gone = take_abandoned();
      room = check_room(asker);
    }
    if (room) add(asker, std::move(work));
  }
  for (const Work& one : gone) one.run();
  return room;
}

Result<> FairWorkers::check_room(const Asker& asker) const {
  if (stopping_ || waiting_ >= waiting_max_)
    return Error{ErrorCode::kOverloaded, "api: too many questions are waiting"};
  auto group = groups_.find(asker.name);
  if (group == groups_.end()) return {};
  auto line = group->second.lines.find(asker.from);
  const size_t own = line == group->second.lines.end() ? 0 : line->second.waiting.size();
  if (group->second.waiting + own < waiting_max_ - waiting_) return {};
  return Error{ErrorCode::kLimited, "api: too many questions of yours are waiting: ask again when some are answered"};
}

void FairWorkers::add(const Asker& asker, Work work) {
  // Who comes stands behind those who wait.
  Group& group = groups_.try_emplace(asker.name, Group{.turn = turn_ + 1}).first->second;
  Line& line = group.lines.try_emplace(asker.from, Line{.turn = turn_ + 1}).first->second;
  ++turn_;
  line.waiting.push_back(std::move(work));
  ++group.waiting;
  ++waiting_;
  changed_.notify_one();
}

std::vector<FairWorkers::Work> FairWorkers::take_abandoned() {
  std::vector<Work> gone;
  for (auto& [name, group] : groups_) {
    const size_t before = gone.size();
    for (auto& [from, line] : group.lines) {
      auto kept = std::stable_partition(line.waiting.begin(), line.waiting.end(),
                                        [](const Work& work) { return !work.abandoned(); });
      std::move(kept, line.waiting.end(), std::back_inserter(gone));
      line.waiting.erase(kept, line.waiting.end());
    }
    std::erase_if(group.lines, [](const auto& line) { return line.second.waiting.empty(); });
    group.waiting -= gone.size() - before;
  }
  waiting_ -= gone.size();
  std::erase_if(groups_, [](const auto& group) { return group.second.waiting == 0 && group.second.running == 0; });
  return gone;
}

FairWorkers::Groups::iterator FairWorkers::next() {
  auto best = groups_.end();
  for (auto group = groups_.begin(); group != groups_.end(); ++group) {
    if (group->second.waiting == 0 || group->second.running >= running_max_) continue;
    if (best == groups_.end() || group->second.turn < best->second.turn) best = group;
  }
  return best;
}

FairWorkers::Work FairWorkers::take(Group& group) {
  auto line = std::min_element(group.lines.begin(), group.lines.end(),
                               [](const auto& a, const auto& b) { return a.second.turn < b.second.turn; });
  Work work = std::move(line->second.waiting.front());
  line->second.waiting.pop_front();
  line->second.turn = group.turn = ++turn_;
  if (line->second.waiting.empty()) group.lines.erase(line);
  --group.waiting;
  ++group.running;
  if (--waiting_ == 0 && stopping_) changed_.notify_all();
  return work;
}

void FairWorkers::serve() {
  std::unique_lock lock(mutex_);
  for (;;) {
    auto group = groups_.end();
    changed_.wait(lock, [&] {
      group = next();
      return group != groups_.end() || (stopping_ && waiting_ == 0);
    });
    if (group == groups_.end()) return;
    Work work = take(group->second);
    lock.unlock();
    work.run();
    work = Work();  // what it holds is let go of without the lock
    lock.lock();
    if (--group->second.running == 0 && group->second.waiting == 0) groups_.erase(group);
  }
}

void FairWorkers::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  for (Thread& thread : threads_) thread.join();
}

}  // namespace weir::api
