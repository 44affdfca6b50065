#include "weir/enrich/public_suffix.h"

#include <libpsl.h>

#include <algorithm>
#include <cstdio>
#include <cstring>

namespace weir::enrich {

namespace {
constexpr size_t kHostBytesMax = 253;
}  // namespace

void PublicSuffixes::Free::operator()(psl_ctx_st* list) const { psl_free(list); }

Result<PublicSuffixes> PublicSuffixes::load(std::string_view text) {
  PublicSuffixes made;
  // libpsl reads from streams alone; one over memory wants to have a byte at least.
  if (!text.empty()) {
    const std::unique_ptr<FILE, int (*)(FILE*)> stream(fmemopen(const_cast<char*>(text.data()), text.size(), "r"),
                                                       fclose);
    if (stream != nullptr) made.list_.reset(psl_load_fp(stream.get()));
  }
  // Any readable text is a list without rules to libpsl.
  if (made.list_ == nullptr || psl_suffix_count(made.list_.get()) == 0)
    return Error{ErrorCode::kCorrupt, "enrich: public suffix list: it holds no rule"};
  return made;
}

std::string_view PublicSuffixes::registrable(std::string_view host) const {
  if (list_ == nullptr || host.empty() || host.size() > kHostBytesMax || host.front() == '.') return {};
  if (host.find_first_of(std::string_view(":\0", 2)) != std::string_view::npos) return {};  // an IPv6 address, junk
  std::string_view last = host.substr(host.rfind('.') + 1);
  if (std::all_of(last.begin(), last.end(), [](char c) { return c >= '0' && c <= '9'; })) return {};  // an address
  char text[kHostBytesMax + 1];
  std::memcpy(text, host.data(), host.size());
  text[host.size()] = '\0';
  const char* found = psl_registrable_domain(list_.get(), text);
  return found == nullptr ? std::string_view() : host.substr(static_cast<size_t>(found - text));
}

}  // namespace weir::enrich
