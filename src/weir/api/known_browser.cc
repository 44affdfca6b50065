#include "weir/api/known_browser.h"

#include <sodium.h>

#include <algorithm>

#include "weir/base/bytes.h"
#include "weir/base/random.h"
#include "weir/settings/limits.h"
#include "weir/settings/rules.h"

namespace weir::api {

namespace {
constexpr size_t kNumberBytes = 16;

// By the hash of the password, which nobody else has and which is another one with each password.
std::string signature_of(std::string_view number, const settings::User* user) {
  std::string text = "weir browser ";
  if (user != nullptr) text += to_string(user->id);
  text += ' ';
  text += number;
  const std::string key = settings::hash_of_secret(user == nullptr ? std::string() : user->password);
  static_assert(crypto_auth_hmacsha256_KEYBYTES == 32);  // as many as hash_of_secret() gives
  std::string mac(crypto_auth_hmacsha256_BYTES, '\0');
  crypto_auth_hmacsha256(reinterpret_cast<unsigned char*>(mac.data()),
                         reinterpret_cast<const unsigned char*>(text.data()), text.size(),
                         reinterpret_cast<const unsigned char*>(key.data()));
  return to_base64url(mac);
}
}  // namespace

std::string new_known_browser(const settings::User& user) {
  const std::string number = to_base64url(random_bytes(kNumberBytes));
  return number + "." + signature_of(number, &user);
}

std::string known_browser(std::string_view cookie, const settings::User* user) {
  if (cookie.size() > settings::kSecretBytesMax) return {};
  const std::string_view number = cookie.substr(0, cookie.find('.'));
  const std::string_view signature = cookie.substr(std::min(cookie.size(), number.size() + 1));
  const bool fits = equal_constant_time(signature, signature_of(number, user));
  return fits && user != nullptr ? "browser " + std::string(number) : std::string();
}

}  // namespace weir::api
