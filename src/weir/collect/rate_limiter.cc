#include "weir/collect/rate_limiter.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "weir/base/bytes.h"
#include "weir/base/random.h"

namespace weir::collect {

namespace {
uint64_t mix(uint64_t hash, uint64_t value) {
  hash = (hash ^ value) * 0xff51afd7ed558ccd;
  hash ^= hash >> 33;
  hash *= 0xc4ceb9fe1a85ec53;
  return hash ^ hash >> 29;
}

uint64_t hash_of_address(uint64_t hash, std::string_view address) {
  if (address.find(':') != std::string_view::npos && address.size() < INET6_ADDRSTRLEN) {
    std::array<char, INET6_ADDRSTRLEN> terminated{};
    std::memcpy(terminated.data(), address.data(), address.size());
    in6_addr parsed;
    if (inet_pton(AF_INET6, terminated.data(), &parsed) == 1) {
      return mix(hash, load_le<uint64_t>(reinterpret_cast<const char*>(&parsed)));
    }
  }
  for (; address.size() >= 8; address.remove_prefix(8)) hash = mix(hash, load_le<uint64_t>(address.data()));
  uint64_t rest = address.size();
  for (char c : address) rest = rest << 8 | static_cast<uint8_t>(c);
  return mix(hash, rest);
}
}  // namespace

RateLimiter::RateLimiter(double rate, double burst, Clock& clock)
    : clock_(clock),
      limited_(rate > 0 && burst > 0),
      token_ns_(limited_ ? static_cast<int64_t>(std::clamp(std::floor(1e9 / rate), 1.0, 1e18)) : 1),
      room_ns_(static_cast<int64_t>(std::min((std::max(burst, 1.0) - 1) * static_cast<double>(token_ns_), 4e18))),
      seed_(random_u64()),
      groups_(limited_ ? kGroups : 0) {}

bool RateLimiter::allow(std::string_view address, ProjectId project) {
  if (!limited_ || address.empty()) return true;
  int64_t now = std::chrono::duration_cast<std::chrono::nanoseconds>(clock_.steady().time_since_epoch()).count();
  uint64_t key = hash_of_address(mix(seed_, number(project)), address);
  size_t place = key % kGroups;
  auto& group = groups_[place];
  std::lock_guard guard(locks_[place % kLocks].mutex);
  Bucket* bucket = &group[0];
  for (Bucket& candidate : group) {
    if (candidate.key == key) {
      bucket = &candidate;
      break;
    }
    if (candidate.full_at_ns < bucket->full_at_ns) bucket = &candidate;
  }
  if (bucket->key != key) *bucket = {key, now};
  int64_t full_at = std::max(bucket->full_at_ns, now);
  if (full_at - now > room_ns_) return false;
  bucket->full_at_ns = full_at + token_ns_;
  return true;
}

}  // namespace weir::collect
