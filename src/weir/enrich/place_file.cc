#include "weir/enrich/place_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <maxminddb.h>
#include <netinet/in.h>
#include <simdjson.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <optional>
#include <vector>

#include "weir/base/bytes.h"
#include "weir/base/files.h"

namespace weir::enrich {

namespace {
// GeoIP2-Enterprise, the largest there is, has 0.5 GiB.
constexpr uint64_t kFileBytesMax = 4 * GiB;
// What a copy leaves free: the journal, on the same disk, needs it more.
constexpr uint64_t kRoomLeft = 512 * MiB;
// Longer names than any place has are damage.
constexpr size_t kNameBytesMax = 200;
constexpr uint32_t kSampleNodes = 512;

using Path = const char* const*;
struct Schema {
  Path country;
  Path region;
  Path city;
};
constexpr const char* kNestedCountry[] = {"country", "iso_code", nullptr};
constexpr const char* kNestedRegion[] = {"subdivisions", "0", "names", "en", nullptr};
constexpr const char* kNestedCity[] = {"city", "names", "en", nullptr};
constexpr const char* kFlatCountry[] = {"country_code", nullptr};
constexpr const char* kFlatRegion[] = {"state1", nullptr};
constexpr const char* kFlatCity[] = {"city", nullptr};
constexpr Schema kNested = {kNestedCountry, kNestedRegion, kNestedCity};
constexpr Schema kFlat = {kFlatCountry, kFlatRegion, kFlatCity};

Error corrupt(std::string message) { return {ErrorCode::kCorrupt, std::move(message)}; }
Error failed(const std::string& what, int error) {
  ErrorCode code = error == ENOENT                      ? ErrorCode::kNotFound
                   : error == ENOSPC || error == EDQUOT ? ErrorCode::kOverloaded
                                                        : ErrorCode::kUnavailable;
  return {code, fmt::format("{}: {}", what, std::generic_category().message(error))};
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

constexpr std::string_view kCopyPrefix = "weir-pack-";

// A file of our own in `directory`, which goes with this. It has a name: a file system that fails while a file without
// one is open cannot be repaired by itself at the machine's next start.
class Copy {
 public:
  static Result<Copy> make(const std::string& directory) {
    std::string path = fmt::format("{}/{}XXXXXX", directory, kCopyPrefix);
    int fd = ::mkostemp(path.data(), O_CLOEXEC);
    if (fd < 0) return failed(path, errno);
    return Copy(fd, std::move(path));
  }
  ~Copy() {
    if (!path_.empty()) ::unlink(path_.c_str());
  }
  Copy(Copy&& other) noexcept : fd_(std::move(other.fd_)), path_(std::exchange(other.path_, {})) {}
  Copy& operator=(Copy&&) = delete;
  int get() const { return fd_.get(); }

 private:
  Copy(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  Descriptor fd_;
  std::string path_;
};

bool same(const struct stat& a, const struct stat& b) {
  return a.st_size == b.st_size && a.st_mtim.tv_sec == b.st_mtim.tv_sec && a.st_mtim.tv_nsec == b.st_mtim.tv_nsec;
}

Result<Copy> private_copy(const std::string& path, const std::string& directory) {
  Descriptor from(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat before {};
  if (from.get() < 0 || ::fstat(from.get(), &before) != 0) return failed(path, errno);
  auto to = Copy::make(directory);
  if (!to) return to;
  // Where the file system shares blocks the copy costs nothing.
  if (::ioctl(to->get(), FICLONE, from.get()) != 0) {
    auto free = real_files().free_bytes(directory);
    if (!free) return std::move(free).error();
    const uint64_t wanted = static_cast<uint64_t>(before.st_size) + kRoomLeft;
    if (*free < wanted)
      return Error{ErrorCode::kOverloaded, fmt::format("{} MiB free in {}, a copy takes {} MiB to spare", *free / MiB,
                                                       directory, wanted / MiB)};
    std::vector<char> piece(1 * MiB);
    for (ssize_t size = 0; (size = ::read(from.get(), piece.data(), piece.size())) != 0;) {
      if (size < 0) return failed(path, errno);
      for (ssize_t written = 0; written < size;) {
        ssize_t n = ::write(to->get(), piece.data() + written, static_cast<size_t>(size - written));
        if (n < 0) return failed("copy of " + path, errno);
        written += n;
      }
    }
  }
  struct stat after {};
  if (::fstat(from.get(), &after) != 0 || !same(before, after))
    return Error{ErrorCode::kUnavailable, path + " is being written"};
  return to;
}

// The text at `path` of a record; empty when there is none. An error only for bytes that cannot be decoded.
int text_at(MMDB_entry_s entry, Path path, std::string_view& text) {
  MMDB_entry_data_s found{};
  text = {};
  int error = MMDB_aget_value(&entry, &found, path);
  if (error == MMDB_LOOKUP_PATH_DOES_NOT_MATCH_DATA_ERROR) return MMDB_SUCCESS;
  if (error != MMDB_SUCCESS || !found.has_data || found.type != MMDB_DATA_TYPE_UTF8_STRING) return error;
  // An empty one's pointer need not point anywhere.
  if (found.data_size == 0) return MMDB_SUCCESS;
  if (found.data_size > kNameBytesMax || !simdjson::validate_utf8(found.utf8_string, found.data_size))
    return MMDB_INVALID_DATA_ERROR;
  text = {found.utf8_string, found.data_size};
  return MMDB_SUCCESS;
}

bool has(MMDB_entry_s entry, const char* key) {
  MMDB_entry_data_s found{};
  const char* const path[] = {key, nullptr};
  return MMDB_aget_value(&entry, &found, path) == MMDB_SUCCESS && found.has_data;
}

bool is_country(std::string_view text) {
  return text.size() == 2 && text[0] >= 'A' && text[0] <= 'Z' && text[1] >= 'A' && text[1] <= 'Z';
}

// "Amsterdam (Amsterdam-Centrum)" is a district; "Amsterdam" the city.
std::string_view without_district(std::string_view city) {
  size_t bracket = city.ends_with(')') ? city.rfind(" (") : std::string_view::npos;
  return bracket == std::string_view::npos || bracket == 0 ? city : city.substr(0, bracket);
}

int decode(const MMDB_entry_s& entry, const Schema& schema, Location& location) {
  int error = text_at(entry, schema.country, location.country);
  if (error == MMDB_SUCCESS) error = text_at(entry, schema.region, location.region);
  if (error == MMDB_SUCCESS) error = text_at(entry, schema.city, location.city);
  if (!is_country(location.country)) location.country = {};
  location.city = without_district(location.city);
  return error;
}
}  // namespace

struct PlaceFile::State {
  std::optional<Copy> copy;  // what `file` maps, where it is not the file itself
  MMDB_s file{};
  bool open = false;
  const Schema* schema = nullptr;
  bool cities = false;

  ~State() {
    if (open) MMDB_close(&file);
  }
  Result<> look_through(Check check);
  Result<> look_at(const MMDB_entry_s& entry);
};

Result<> PlaceFile::State::look_at(const MMDB_entry_s& entry) {
  if (schema == nullptr) {
    if (has(entry, "country_code"))
      schema = &kFlat;
    else if (has(entry, "country") || has(entry, "registered_country") || has(entry, "city"))
      schema = &kNested;
    else
      return {};
  }
  Location location;
  if (int error = decode(entry, *schema, location); error != MMDB_SUCCESS)
    return corrupt(fmt::format("the record at {}: {}", entry.offset, MMDB_strerror(error)));
  cities = cities || !location.city.empty();
  return {};
}

Result<> PlaceFile::State::look_through(Check check) {
  const uint32_t nodes = file.metadata.node_count;
  const uint32_t stride = check == Check::all ? 1 : std::max(1U, nodes / kSampleNodes);
  std::vector<bool> seen(check == Check::all ? file.data_section_size : 0);
  for (uint64_t i = 0; i < nodes; i += stride) {
    MMDB_search_node_s node{};
    if (int error = MMDB_read_node(&file, static_cast<uint32_t>(i), &node); error != MMDB_SUCCESS)
      return corrupt(fmt::format("node {}: {}", i, MMDB_strerror(error)));
    const std::pair<uint8_t, MMDB_entry_s> sides[] = {{node.left_record_type, node.left_record_entry},
                                                      {node.right_record_type, node.right_record_entry}};
    for (const auto& [type, entry] : sides) {
      if (type == MMDB_RECORD_TYPE_INVALID) return corrupt(fmt::format("node {} points nowhere", i));
      if (type != MMDB_RECORD_TYPE_DATA) continue;
      if (check == Check::all) {
        if (entry.offset >= seen.size()) return corrupt(fmt::format("node {} points behind the data", i));
        if (seen[entry.offset]) continue;
        seen[entry.offset] = true;
      }
      if (auto looked = look_at(entry); !looked) return looked;
    }
  }
  if (schema == nullptr)
    return corrupt(
        fmt::format("its records ({}) have neither `country` nor `country_code`", file.metadata.database_type));
  return {};
}

PlaceFile::PlaceFile(std::unique_ptr<State> state) : state_(std::move(state)) {}
PlaceFile::~PlaceFile() = default;

Result<std::shared_ptr<const PlaceFile>> PlaceFile::open(const std::string& path, const std::string& copies_in,
                                                         Check check) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return failed(path, errno);
  if (static_cast<uint64_t>(info.st_size) > kFileBytesMax)
    return Error{ErrorCode::kTooLarge, fmt::format("{} bytes, at most {} are read", info.st_size, kFileBytesMax)};
  auto state = std::make_unique<State>();
  int error = MMDB_SUCCESS;
  if (copies_in.empty()) {
    error = MMDB_open(path.c_str(), MMDB_MODE_MMAP, &state->file);
  } else {
    auto copy = private_copy(path, copies_in);
    if (!copy) return std::move(copy).error();
    state->copy.emplace(*std::move(copy));
    error = MMDB_open(fmt::format("/proc/self/fd/{}", state->copy->get()).c_str(), MMDB_MODE_MMAP, &state->file);
  }
  if (error != MMDB_SUCCESS) return corrupt(fmt::format("no MMDB file: {}", MMDB_strerror(error)));
  state->open = true;
  if (auto looked = state->look_through(check); !looked) return std::move(looked).error();
  // What was looked through need not stay resident: each page brought its neighbours along, 60 MB of a city file.
  (void)::madvise(const_cast<uint8_t*>(state->file.file_content), static_cast<size_t>(state->file.file_size),
                  MADV_DONTNEED);
  return std::shared_ptr<const PlaceFile>(new PlaceFile(std::move(state)));
}

void PlaceFile::remove_copies(const std::string& directory) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(directory, ignored))
    if (entry.path().filename().string().starts_with(kCopyPrefix)) std::filesystem::remove(entry.path(), ignored);
}

bool PlaceFile::find(const Address& address, Location& location) const {
  int error = MMDB_SUCCESS;
  MMDB_lookup_result_s result{};
  if (address.v4) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    std::memcpy(&v4.sin_addr, address.bytes.data(), 4);
    result = MMDB_lookup_sockaddr(&state_->file, reinterpret_cast<const sockaddr*>(&v4), &error);
  } else {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    std::memcpy(&v6.sin6_addr, address.bytes.data(), 16);
    result = MMDB_lookup_sockaddr(&state_->file, reinterpret_cast<const sockaddr*>(&v6), &error);
  }
  if (error != MMDB_SUCCESS || !result.found_entry) return false;
  Location found;
  if (decode(result.entry, *state_->schema, found) != MMDB_SUCCESS) return false;
  location = found;
  return true;
}

// A tree for IPv6 holds IPv4 below ::/96, or nothing there.
bool PlaceFile::knows_v4() const {
  const MMDB_s& file = state_->file;
  return file.metadata.ip_version == 4 || file.ipv4_start_node.node_value < file.metadata.node_count;
}
bool PlaceFile::knows_v6() const { return state_->file.metadata.ip_version == 6; }
bool PlaceFile::knows_cities() const { return state_->cities; }
UnixMillis PlaceFile::built() const {
  // A year beyond 9999 is damage, and says nothing.
  constexpr uint64_t kSecondsMax = 253'402'300'799;
  uint64_t seconds = state_->file.metadata.build_epoch;
  return seconds > kSecondsMax ? 0 : static_cast<UnixMillis>(seconds) * 1000;
}
std::string PlaceFile::type() const { return state_->file.metadata.database_type; }

}  // namespace weir::enrich
