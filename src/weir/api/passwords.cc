#include "weir/api/passwords.h"

#include <sodium.h>

#include "weir/base/bytes.h"
#include "weir/base/check.h"
#include "weir/base/random.h"
#include "weir/base/thread.h"

namespace weir::api {

namespace {
constexpr size_t kWaitingMax = 32;
constexpr unsigned long long kPasses = 3;
constexpr size_t kMemoryBytes = 32 * MiB;

Result<std::string> hash_of(const std::string& password) {
  std::string hash(crypto_pwhash_STRBYTES, '\0');
  int failed = crypto_pwhash_str_alg(hash.data(), password.data(), password.size(), kPasses, kMemoryBytes,
                                     crypto_pwhash_ALG_ARGON2ID13);
  if (failed != 0) return Error{ErrorCode::kOverloaded, "api: no memory to hash a password"};
  hash.resize(hash.find('\0'));
  return hash;
}
}  // namespace

Passwords::Passwords() : workers_("api-passwords", 1, kWaitingMax) {
  WEIR_CHECK(sodium_init() >= 0);
  (void)workers_.post([this] {
    lower_priority(10);
    auto made = hash_of(to_base64url(random_bytes(32)));
    if (made) nobodys_ = std::move(*made);
  });
}

boost::asio::awaitable<Result<std::string>> Passwords::hash(std::string password) {
  std::function<Result<std::string>()> work = [password = std::move(password)] { return hash_of(password); };
  Result<std::string> hash = co_await workers_.run<std::string>(std::move(work));
  co_return hash;
}

boost::asio::awaitable<Result<bool>> Passwords::verify(std::string hash, std::string password) {
  std::function<Result<bool>()> work = [this, hash = std::move(hash),
                                        password = std::move(password)]() -> Result<bool> {
    const std::string& against = hash.empty() ? nobodys_ : hash;
    bool fits = crypto_pwhash_str_verify(against.c_str(), password.data(), password.size()) == 0;
    return fits && !hash.empty();
  };
  Result<bool> fits = co_await workers_.run<bool>(std::move(work));
  co_return fits;
}

}  // namespace weir::api
