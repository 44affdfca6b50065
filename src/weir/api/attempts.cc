#include "weir/api/attempts.h"

#include <algorithm>

#include "weir/base/address.h"

namespace weir::api {

namespace {
using std::chrono::seconds;

constexpr int kTriesBetweenBlocks = 10;
constexpr seconds kFirstBlock{30};
constexpr seconds kLongestBlock{900};
constexpr size_t kNamesMax = 20'000;
}  // namespace

std::optional<seconds> Attempts::count(const std::string& name) {
  Time now = clock_.steady();
  std::lock_guard lock(mutex_);
  if (tries_.size() >= kNamesMax && tries_.count(name) == 0) make_room(now);
  Tries& tries = tries_[name];
  auto left = [&] { return std::chrono::ceil<seconds>(tries.blocked_until - now); };
  if (now < tries.blocked_until) return left();
  if (now - tries.since >= limit_.window) {
    // Who kept quiet for as long as the longest block begins anew.
    if (now - std::max(tries.since, tries.blocked_until) >= kLongestBlock) tries.blocks = 0;
    tries.since = now;
    tries.count = 0;
  }
  if (++tries.count <= limit_.tries) return std::nullopt;
  tries.blocked_until = now + std::min(kFirstBlock * (1 << std::min(tries.blocks, 10)), kLongestBlock);
  ++tries.blocks;
  tries.since = tries.blocked_until;
  tries.count = limit_.tries - kTriesBetweenBlocks;
  return left();
}

void Attempts::forgive(const std::string& name) {
  std::lock_guard lock(mutex_);
  auto found = tries_.find(name);
  if (found == tries_.end()) return;
  found->second.count = std::max(0, found->second.count - 1);
}

void Attempts::make_room(Time now) {
  std::erase_if(tries_, [&](const auto& entry) {
    const Tries& tries = entry.second;
    return now >= tries.blocked_until && now - tries.since >= limit_.window;
  });
  // More than that at once comes from as many addresses; whichever goes begins anew. A tenth at a time, so that who
  // comes next need not look through all of them.
  while (tries_.size() > kNamesMax - kNamesMax / 10) tries_.erase(tries_.begin());
}

std::string Attempts::of_address(std::string_view address) {
  Network network;
  if (!parse_address(address, network.address)) return "address " + std::string(address);
  network.bits = network.address.is_v4() ? 128 : 64;
  return "address " + network.whole().text();
}

}  // namespace weir::api
