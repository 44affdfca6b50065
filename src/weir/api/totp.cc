#include "weir/api/totp.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>

#include "weir/base/bytes.h"
#include "weir/base/check.h"
#include "weir/base/random.h"

namespace weir::api {

namespace {
constexpr int64_t kStepMillis = 30'000;
constexpr size_t kRecoveryCodes = 10;

// Percent-encodes all but letters, digits and `-._~`.
std::string encoded(std::string_view text) {
  std::string out;
  for (char c : text) {
    bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
                 c == '_' || c == '~';
    if (plain) {
      out.push_back(c);
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}
}  // namespace

std::string new_totp_secret() { return random_bytes(20); }

std::string totp_code(std::string_view secret, int64_t step) {
  std::array<unsigned char, 8> counter{};
  for (size_t i = 0; i < counter.size(); ++i) counter[7 - i] = static_cast<unsigned char>(step >> (8 * i));
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
  unsigned int size = 0;
  const unsigned char* made = HMAC(EVP_sha1(), secret.data(), static_cast<int>(secret.size()), counter.data(),
                                   counter.size(), mac.data(), &size);
  WEIR_CHECK(made != nullptr && size == 20);
  size_t at = mac[19] & 0xf;
  uint32_t number = (uint32_t{mac[at]} & 0x7f) << 24 | uint32_t{mac[at + 1]} << 16 | uint32_t{mac[at + 2]} << 8 |
                    uint32_t{mac[at + 3]};
  return fmt::format("{:06}", number % 1'000'000);
}

std::optional<int64_t> totp_step(std::string_view secret, std::string_view code, UnixMillis now, int64_t after) {
  std::string typed;
  for (char c : code.substr(0, 20)) {
    if (c != ' ') typed.push_back(c);
  }
  int64_t present = now / kStepMillis;
  std::optional<int64_t> found;
  for (int64_t step = present - 1; step <= present + 1; ++step) {
    if (equal_constant_time(typed, totp_code(secret, step)) && step > after) found = step;
  }
  return found;
}

std::string to_base32(std::string_view bytes) {
  static constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  std::string out;
  uint32_t held = 0;
  int bits = 0;
  for (char c : bytes) {
    held = held << 8 | static_cast<unsigned char>(c);
    for (bits += 8; bits >= 5; bits -= 5) out.push_back(kLetters[held >> (bits - 5) & 31]);
    held &= (1U << bits) - 1;
  }
  if (bits > 0) out.push_back(kLetters[held << (5 - bits) & 31]);
  return out;
}

std::string totp_uri(std::string_view secret, std::string_view email) {
  return fmt::format("otpauth://totp/weir:{}?secret={}&issuer=weir", encoded(email), to_base32(secret));
}

std::vector<std::string> new_recovery_codes() {
  std::vector<std::string> codes;
  for (size_t i = 0; i < kRecoveryCodes; ++i) {
    std::string letters = recovery_code_form(to_base32(random_bytes(10)));
    codes.push_back(fmt::format("{}-{}-{}-{}", letters.substr(0, 4), letters.substr(4, 4), letters.substr(8, 4),
                                letters.substr(12)));
  }
  return codes;
}

std::string recovery_code_form(std::string_view code) {
  std::string out;
  for (char c : code.substr(0, 60)) {
    if (c == '-' || c == ' ') continue;
    out.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c);
  }
  return out;
}

}  // namespace weir::api
