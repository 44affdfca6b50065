#include "weir/settings/sealer.h"

#include <sodium.h>

#include "weir/base/bytes.h"
#include "weir/base/check.h"
#include "weir/base/logging.h"
#include "weir/base/random.h"
#include "weir/settings/key_file.h"

namespace weir::settings {

namespace {
// What is kept: this, a nonce, the encrypted secret with its tag. A secret in clear has 20 bytes.
constexpr std::string_view kMark = "sealed1:";
constexpr size_t kNonceBytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;  // 24
constexpr size_t kTagBytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;       // 16
static_assert(crypto_aead_xchacha20poly1305_ietf_KEYBYTES == kKeyBytes);

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }
unsigned char* bytes_of(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

// Whose it is cannot be changed without the key.
std::string bound_to(UserId user) {
  std::string out = "weir second factor ";
  append_le(out, number(user));
  return out;
}
}  // namespace

Result<std::unique_ptr<Sealer>> Sealer::open(FileSystem& files, const std::string& directory) {
  const std::string path = directory + "/accounts";
  auto key = read_key_file(files, path);
  if (key && key->empty()) key = make_key_file(files, path);
  if (!key) return std::move(key).error();
  return std::make_unique<Sealer>(std::move(*key));
}

Sealer::Sealer(std::string key) : key_(std::move(key)) {
  WEIR_CHECK(sodium_init() >= 0);
  WEIR_CHECK(key_.size() == kKeyBytes);
}
Sealer::~Sealer() { sodium_memzero(key_.data(), key_.size()); }

bool Sealer::is_sealed(std::string_view kept) {
  return kept.starts_with(kMark) && kept.size() >= kMark.size() + kNonceBytes + kTagBytes;
}

std::string Sealer::seal(UserId user, std::string_view secret) const {
  std::string out(kMark);
  out += random_bytes(kNonceBytes);
  const size_t head = out.size();
  out.resize(head + secret.size() + kTagBytes);
  const std::string data = bound_to(user);
  crypto_aead_xchacha20poly1305_ietf_encrypt(bytes_of(out) + head, nullptr, bytes_of(secret), secret.size(),
                                             bytes_of(std::string_view(data)), data.size(), nullptr,
                                             bytes_of(out) + kMark.size(), bytes_of(std::string_view(key_)));
  return out;
}

Result<std::string> Sealer::unseal(UserId user, std::string_view kept) const {
  if (!is_sealed(kept)) return std::string(kept);
  const std::string_view nonce = kept.substr(kMark.size(), kNonceBytes);
  const std::string_view sealed = kept.substr(kMark.size() + kNonceBytes);
  std::string secret(sealed.size() - kTagBytes, '\0');
  const std::string data = bound_to(user);
  int failed = crypto_aead_xchacha20poly1305_ietf_decrypt(bytes_of(secret), nullptr, nullptr, bytes_of(sealed),
                                                          sealed.size(), bytes_of(std::string_view(data)), data.size(),
                                                          bytes_of(nonce), bytes_of(std::string_view(key_)));
  if (failed != 0) return Error{ErrorCode::kCorrupt, "settings: a second factor is sealed under another key"};
  return secret;
}

Result<> seal_second_factors(Repository& repository, const Sealer& sealer) {
  const auto snapshot = repository.snapshot();
  size_t unreadable = 0;
  for (const User& user : snapshot->users()) {
    if (user.totp_secret.empty()) continue;
    if (Sealer::is_sealed(user.totp_secret)) {
      if (!sealer.unseal(user.id, user.totp_secret)) ++unreadable;
      continue;
    }
    auto sealed = repository.change_user(user.id, [&](User& kept) -> Result<> {
      if (!kept.totp_secret.empty() && !Sealer::is_sealed(kept.totp_secret))
        kept.totp_secret = sealer.seal(kept.id, kept.totp_secret);
      return {};
    });
    if (!sealed) return std::move(sealed).error();
  }
  if (unreadable > 0) {
    log::error(
        "settings: {} second factors are sealed under another key than that in secrets/accounts: put it back; until "
        "then "
        "those people sign in with recovery codes",
        unreadable);
  }
  return {};
}

}  // namespace weir::settings
