#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "weir/base/files.h"
#include "weir/base/ids.h"
#include "weir/base/result.h"
#include "weir/settings/settings.h"

namespace weir::settings {

// Seals the secrets of people's second factors, for whoever keeps settings: a copy of the database, of its snapshot or
// of a backup of them makes nobody's codes. The key is a file beside the other secrets, which no backup holds in clear;
// it does not end. Where it is lost, recovery codes still let people in, and an owner can take the second factor away.
//
// Immutable. Thread-safe.
class Sealer {
 public:
  // Of the key in `directory`/accounts, made when there is none; the directory exists. Errors: kUnavailable.
  static Result<std::unique_ptr<Sealer>> open(FileSystem& files, const std::string& directory);
  // `key`: 32 bytes.
  explicit Sealer(std::string key);
  ~Sealer();
  Sealer(const Sealer&) = delete;
  Sealer& operator=(const Sealer&) = delete;

  std::string seal(UserId user, std::string_view secret) const;
  // What versions before this one kept in clear is handed back as it is. Errors: kCorrupt (sealed under another key or
  // for another person, or damaged).
  Result<std::string> unseal(UserId user, std::string_view kept) const;
  static bool is_sealed(std::string_view kept);

 private:
  std::string key_;
};

// Seals what an earlier version kept in clear, and says in the log what this key does not open. Errors: as
// change_user().
Result<> seal_second_factors(Repository& repository, const Sealer& sealer);

}  // namespace weir::settings
