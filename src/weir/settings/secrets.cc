#include "weir/settings/secrets.h"

#include <fmt/format.h>
#include <sodium.h>
#include <sys/stat.h>

#include <array>
#include <atomic>
#include <boost/json.hpp>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>

#include "weir/base/bytes.h"
#include "weir/base/check.h"
#include "weir/base/logging.h"
#include "weir/base/random.h"
#include "weir/settings/key_file.h"

namespace weir::settings {

namespace {
// What is sealed: version, key id, nonce, then the encrypted fields with their tag.
constexpr char kSealVersion = 1;
constexpr size_t kKeyIdBytes = 4;
constexpr size_t kNonceBytes = crypto_aead_chacha20poly1305_IETF_NPUBBYTES;  // 12
constexpr size_t kTagBytes = crypto_aead_chacha20poly1305_IETF_ABYTES;       // 16
constexpr size_t kHeadBytes = 1 + kKeyIdBytes + kNonceBytes;
// Far above what a request's headers can hold.
constexpr size_t kFieldBytesMax = 1 * MiB;
constexpr size_t kSealedBytesMax = 8 * MiB;

// Old keys kept in memory for replays; beyond it the cache starts anew.
constexpr size_t kCachedKeysMax = 16'384;

static_assert(crypto_aead_chacha20poly1305_IETF_KEYBYTES == kKeyBytes);
static_assert(crypto_shorthash_siphash24_KEYBYTES <= kKeyBytes);

// A secret in memory. Immutable but for its nonces; wiped at its end.
struct Key {
  std::array<unsigned char, kKeyBytes> bytes;
  // Tells a key from its successor of the same day, so that "destroyed" and "damaged" stay apart.
  std::array<char, kKeyIdBytes> id;
  // 64 random bits for this key in this process, then a counter: unique without a system call an event.
  uint64_t nonce_prefix = random_u64();
  mutable std::atomic<uint64_t> nonces{0};

  explicit Key(std::string_view secret) {
    WEIR_CHECK(secret.size() == kKeyBytes);
    std::memcpy(bytes.data(), secret.data(), kKeyBytes);
    std::array<unsigned char, crypto_generichash_BYTES_MIN> hash;
    crypto_generichash(hash.data(), hash.size(), bytes.data(), bytes.size(), nullptr, 0);
    std::memcpy(id.data(), hash.data(), id.size());
  }
  Key(const Key&) = delete;
  Key& operator=(const Key&) = delete;
  ~Key() { sodium_memzero(bytes.data(), bytes.size()); }

  void append_nonce(std::string& to) const {
    uint64_t count = nonces.fetch_add(1, std::memory_order_relaxed);
    // The high half of the count moves the prefix on, should one process ever seal 2^32 texts in a day.
    uint64_t prefix = nonce_prefix + (count >> 32);
    auto low = static_cast<uint32_t>(count);
    append_le(to, prefix);
    append_le(to, low);
  }
};
using KeyPointer = std::shared_ptr<const Key>;

// Null for an empty secret.
Result<KeyPointer> key_of(Result<std::string> secret) {
  if (!secret) return std::move(secret).error();
  if (secret->empty()) return KeyPointer{};
  auto key = std::make_shared<const Key>(*secret);
  sodium_memzero(secret->data(), secret->size());
  return KeyPointer(std::move(key));
}

struct PersonalName {
  ProjectId project;
  int64_t day;
  bool operator==(const PersonalName&) const = default;
};
struct PersonalNameHash {
  size_t operator()(const PersonalName& name) const {
    return static_cast<size_t>((number(name.project) ^ static_cast<uint64_t>(name.day)) * 0x9e3779b97f4a7c15u);
  }
};

std::array<unsigned char, 24> associated_data(ProjectId project, int64_t day) {
  std::array<unsigned char, 24> data{'p', 'e', 'r', 's', 'o', 'n', 'a', static_cast<unsigned char>(kSealVersion)};
  uint64_t id = number(project);
  std::memcpy(data.data() + 8, &id, 8);
  std::memcpy(data.data() + 16, &day, 8);
  return data;
}

Error corrupt(std::string_view why) { return {ErrorCode::kCorrupt, fmt::format("settings: personal fields: {}", why)}; }

// The record's `personal` member, taken apart. The usual form, ours to the byte, costs no JSON parser.
struct Envelope {
  int64_t day;
  std::string sealed;
};
Result<Envelope> parse_envelope(std::string_view personal) {
  constexpr std::string_view kDay = R"({"day":")";
  constexpr std::string_view kSealed = R"(","sealed":")";
  constexpr size_t kSealedAt = kDay.size() + 10 + kSealed.size();
  if (personal.size() > kSealedBytesMax) return corrupt("too long");
  Envelope envelope{};
  bool read = false;
  if (personal.size() > kSealedAt + 2 && personal.starts_with(kDay) &&
      personal.substr(kDay.size() + 10).starts_with(kSealed) && personal.ends_with("\"}")) {
    read = parse_day(personal.substr(kDay.size(), 10), envelope.day) &&
           from_base64url(personal.substr(kSealedAt, personal.size() - kSealedAt - 2), envelope.sealed);
  }
  if (!read) {
    boost::system::error_code failed;
    boost::json::value whole = boost::json::parse({personal.data(), personal.size()}, failed);
    const boost::json::object* object = failed ? nullptr : whole.if_object();
    const boost::json::value* d = object == nullptr ? nullptr : object->if_contains("day");
    const boost::json::value* s = object == nullptr ? nullptr : object->if_contains("sealed");
    if (d == nullptr || s == nullptr || !d->is_string() || !s->is_string()) return corrupt("not a sealed text");
    if (!parse_day(std::string_view(d->get_string()), envelope.day) ||
        !from_base64url(std::string_view(s->get_string()), envelope.sealed))
      return corrupt("not a sealed text");
  }
  return envelope;
}

void append_field(std::string& out, std::string_view field) {
  append_varint(out, field.size());
  out += field;
}

bool take_field(std::string_view& from, std::string& field) {
  uint64_t size = 0;
  for (int shift = 0;; shift += 7) {
    if (from.empty() || shift > 28) return false;
    auto byte = static_cast<unsigned char>(from.front());
    from.remove_prefix(1);
    size |= uint64_t{byte & 0x7fu} << shift;
    if ((byte & 0x80) == 0) break;
  }
  if (size > from.size()) return false;
  field = from.substr(0, size);
  from.remove_prefix(size);
  return true;
}

class FileSecrets final : public Secrets {
 public:
  FileSecrets(FileSystem& files, const SecretsOptions& options) : files_(files), options_(options) {}
  Result<> start();

  Result<std::string> seal(ProjectId project, UnixMillis now, const Personal& personal) override;
  Result<Opened> open(ProjectId project, std::string_view personal) override;
  Result<uint64_t> visitor(ProjectId project, UnixMillis event_time, UnixMillis now, std::string_view ip,
                           std::string_view user_agent) override;
  Result<> expire(UnixMillis now) override;

 private:
  std::string path(std::string_view file) const { return fmt::format("{}/{}", options_.directory, file); }
  static std::string salt_file(int64_t day) { return "salt-" + format_day(day); }
  static std::string personal_file(const PersonalName& name) {
    return fmt::format("personal-{}-{}", format_day(name.day), to_string(name.project));
  }

  Result<KeyPointer> salt(int64_t day);
  Result<KeyPointer> sealing_key(const PersonalName& name);
  // Null when there is no such file.
  Result<KeyPointer> read_key(const std::string& file);
  // Reads the key, or makes and stores a new one.
  Result<KeyPointer> read_or_make_key(const std::string& file);
  void remember(const PersonalName& name, KeyPointer key);
  Result<> destroy(const std::string& file);

  FileSystem& files_;
  const SecretsOptions options_;

  std::mutex files_mutex_;   // orders making, reading and destroying of files; never taken on the usual path
  std::shared_mutex mutex_;  // guards salts_, personal_
  std::map<int64_t, KeyPointer> salts_;
  // Null: known to have no key.
  std::unordered_map<PersonalName, KeyPointer, PersonalNameHash> personal_;
};

Result<> FileSecrets::start() {
  WEIR_CHECK(sodium_init() >= 0);
  if (auto made = files_.make_directory(options_.directory); !made) return made;
  struct stat info {};
  if (::stat(options_.directory.c_str(), &info) == 0 && (info.st_mode & 0077) != 0) {
    return Error{ErrorCode::kForbidden, fmt::format("settings: {}: its mode {:o} lets others in; run: chmod 700 {}",
                                                    options_.directory, info.st_mode & 07777, options_.directory)};
  }
  return {};
}

Result<KeyPointer> FileSecrets::read_key(const std::string& file) { return key_of(read_key_file(files_, path(file))); }

Result<KeyPointer> FileSecrets::read_or_make_key(const std::string& file) {
  auto found = read_key(file);
  if (!found || *found != nullptr) return found;
  return key_of(make_key_file(files_, path(file)));
}

Result<KeyPointer> FileSecrets::salt(int64_t day) {
  {
    std::shared_lock lock(mutex_);
    auto found = salts_.find(day);
    if (found != salts_.end()) return found->second;
  }
  std::lock_guard files_lock(files_mutex_);
  {
    std::shared_lock lock(mutex_);
    auto found = salts_.find(day);
    if (found != salts_.end()) return found->second;
  }
  auto key = read_or_make_key(salt_file(day));
  if (!key) return key;
  std::unique_lock lock(mutex_);
  salts_[day] = *key;
  return key;
}

void FileSecrets::remember(const PersonalName& name, KeyPointer key) {
  std::unique_lock lock(mutex_);
  if (personal_.size() >= kCachedKeysMax) personal_.clear();
  personal_[name] = std::move(key);
}

Result<KeyPointer> FileSecrets::sealing_key(const PersonalName& name) {
  {
    std::shared_lock lock(mutex_);
    auto found = personal_.find(name);
    if (found != personal_.end() && found->second != nullptr) return found->second;
  }
  std::lock_guard files_lock(files_mutex_);
  {
    std::shared_lock lock(mutex_);
    auto found = personal_.find(name);
    if (found != personal_.end() && found->second != nullptr) return found->second;
  }
  auto key = read_or_make_key(personal_file(name));
  if (key) remember(name, *key);
  return key;
}

Result<std::string> FileSecrets::seal(ProjectId project, UnixMillis now, const Personal& personal) {
  PersonalName name{project, day_of(now)};
  for (std::string_view field : {personal.ip, personal.user_agent, personal.hints, personal.accept_language}) {
    if (field.size() > kFieldBytesMax) return Error{ErrorCode::kTooLarge, "settings: a personal field is above 1 MiB"};
  }
  auto key = sealing_key(name);
  if (!key) return std::move(key).error();

  // Head, then the fields in clear, encrypted in place, then the tag.
  std::string sealed;
  const size_t fields = personal.ip.size() + personal.user_agent.size() + personal.hints.size() +
                        personal.accept_language.size() + 4 * sizeof(uint32_t) + 1;  // lengths in varints below 2^21
  sealed.reserve(kHeadBytes + fields + kTagBytes);
  sealed.push_back(kSealVersion);
  sealed.append((*key)->id.data(), kKeyIdBytes);
  (*key)->append_nonce(sealed);
  sealed.push_back(personal.gpc ? 1 : 0);
  for (std::string_view field : {personal.ip, personal.user_agent, personal.hints, personal.accept_language}) {
    append_field(sealed, field);
  }
  const size_t clear_bytes = sealed.size() - kHeadBytes;
  sealed.resize(sealed.size() + kTagBytes);
  auto* head = reinterpret_cast<unsigned char*>(sealed.data());
  auto data = associated_data(project, name.day);
  crypto_aead_chacha20poly1305_ietf_encrypt(head + kHeadBytes, nullptr, head + kHeadBytes, clear_bytes, data.data(),
                                            data.size(), nullptr, head + kHeadBytes - kNonceBytes,
                                            (*key)->bytes.data());
  constexpr std::string_view kDay = R"({"day":")";
  constexpr std::string_view kSealed = R"(","sealed":")";
  std::string out;
  out.reserve(kDay.size() + 10 + kSealed.size() + sealed.size() * 4 / 3 + 4);
  out += kDay;
  out += format_day(name.day);
  out += kSealed;
  append_base64url(out, sealed);
  out += "\"}";
  return out;
}

Result<Secrets::Opened> FileSecrets::open(ProjectId project, std::string_view personal) {
  auto envelope = parse_envelope(personal);
  if (!envelope) return std::move(envelope).error();
  const std::string& sealed = envelope->sealed;
  if (sealed.size() < kHeadBytes + kTagBytes) return corrupt("cut short");
  if (sealed[0] != kSealVersion) return corrupt("sealed by a later version");

  PersonalName name{project, envelope->day};
  KeyPointer key;
  bool known = false;
  {
    std::shared_lock lock(mutex_);
    auto found = personal_.find(name);
    if (found != personal_.end()) {
      key = found->second;
      known = true;
    }
  }
  if (!known) {
    std::lock_guard files_lock(files_mutex_);
    auto found = read_key(personal_file(name));
    if (!found) return std::move(found).error();
    key = std::move(*found);
    remember(name, key);
  }
  if (key == nullptr || std::memcmp(sealed.data() + 1, key->id.data(), kKeyIdBytes) != 0) {
    return Error{ErrorCode::kNotFound, fmt::format("settings: the personal key of project {} and {} was destroyed",
                                                   to_string(project), format_day(name.day))};
  }
  const auto* head = reinterpret_cast<const unsigned char*>(sealed.data());
  std::string clear(sealed.size() - kHeadBytes - kTagBytes, '\0');
  auto data = associated_data(project, name.day);
  int failed = crypto_aead_chacha20poly1305_ietf_decrypt(
      reinterpret_cast<unsigned char*>(clear.data()), nullptr, nullptr, head + kHeadBytes, sealed.size() - kHeadBytes,
      data.data(), data.size(), head + 1 + kKeyIdBytes, key->bytes.data());
  if (failed != 0) return corrupt("do not pass their check");

  std::string_view rest = clear;
  Opened opened;
  bool fine = !rest.empty() && (rest.front() == 0 || rest.front() == 1);
  if (fine) {
    opened.gpc = rest.front() == 1;
    rest.remove_prefix(1);
    fine = take_field(rest, opened.ip) && take_field(rest, opened.user_agent) && take_field(rest, opened.hints) &&
           take_field(rest, opened.accept_language) && rest.empty();
  }
  if (!fine) return corrupt("not a form this version knows");
  return opened;
}

Result<uint64_t> FileSecrets::visitor(ProjectId project, UnixMillis event_time, UnixMillis now, std::string_view ip,
                                      std::string_view user_agent) {
  int64_t today = day_of(now);
  int64_t day = day_of(event_time);
  if (day != today && day != today - 1) day = today;
  auto key = salt(day);
  if (!key) return std::move(key).error();

  // project, length of the address, address, length of the user agent, user agent: no two inputs share one text.
  std::array<char, 1024> near;
  std::string far;
  size_t size = sizeof(uint64_t) + 2 * sizeof(uint32_t) + ip.size() + user_agent.size();
  char* text = near.data();
  if (size > near.size()) {
    far.resize(size);
    text = far.data();
  }
  char* at = text;
  auto put = [&at](const void* bytes, size_t count) {
    if (count > 0) std::memcpy(at, bytes, count);
    at += count;
  };
  uint64_t id = number(project);
  put(&id, sizeof id);
  for (std::string_view field : {ip, user_agent}) {
    auto length = static_cast<uint32_t>(field.size());
    put(&length, sizeof length);
    put(field.data(), field.size());
  }
  uint64_t hash = 0;
  crypto_shorthash_siphash24(reinterpret_cast<unsigned char*>(&hash), reinterpret_cast<const unsigned char*>(text),
                             size, (*key)->bytes.data());
  return hash == 0 ? 1 : hash;
}

Result<> FileSecrets::destroy(const std::string& file) {
  auto opened = files_.open(path(file), FileSystem::Mode::write);
  if (!opened) {
    if (opened.error().code == ErrorCode::kNotFound) return {};
    return std::move(opened).error();
  }
  auto size = (*opened)->size();
  if (!size) return std::move(size).error();
  if (*size <= 64 * KiB) {
    if (auto written = (*opened)->write_at(0, random_bytes(*size)); !written) return written;
    if (auto synced = (*opened)->sync(); !synced) return synced;
  }
  opened->reset();
  return files_.remove(path(file));
}

Result<> FileSecrets::expire(UnixMillis now) {
  int64_t today = day_of(now);
  int64_t first_salt = today - 1;
  int64_t first_personal = today - static_cast<int64_t>(options_.personal_days);
  // First, so that nobody reads a file back into memory between the two steps.
  std::lock_guard files_lock(files_mutex_);
  {
    std::unique_lock lock(mutex_);
    salts_.erase(salts_.begin(), salts_.lower_bound(first_salt));
    std::erase_if(personal_, [&](const auto& entry) { return entry.first.day < first_personal; });
  }
  auto names = files_.list(options_.directory);
  if (!names) return Error{ErrorCode::kUnavailable, "settings: " + names.error().message};
  Result<> first_failure;
  bool removed_any = false;
  for (const std::string& file : *names) {
    std::string_view rest = file;
    bool expired = false;
    int64_t day = 0;
    if (file.ends_with(".new")) {
      expired = true;  // left by a kill while a key was being made; nothing was sealed under it
    } else if (rest.starts_with("salt-")) {
      expired = parse_day(rest.substr(5), day) && day < first_salt;
    } else if (rest.starts_with("personal-") && rest.size() > 20 && rest[19] == '-') {
      expired = parse_day(rest.substr(9, 10), day) && day < first_personal;
    }
    if (!expired) continue;
    auto destroyed = destroy(file);
    removed_any = true;
    if (!destroyed && first_failure) {
      first_failure = Error{ErrorCode::kUnavailable, "settings: " + destroyed.error().message};
    }
  }
  if (removed_any) {
    auto synced = files_.sync_directory(options_.directory);
    if (!synced && first_failure) first_failure = Error{ErrorCode::kUnavailable, "settings: " + synced.error().message};
  }
  return first_failure;
}
}  // namespace

Result<std::unique_ptr<Secrets>> open_file_secrets(FileSystem& files, const SecretsOptions& options) {
  auto secrets = std::make_unique<FileSecrets>(files, options);
  if (auto started = secrets->start(); !started) return std::move(started).error();
  return std::unique_ptr<Secrets>(std::move(secrets));
}

}  // namespace weir::settings
