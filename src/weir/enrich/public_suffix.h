#pragma once

#include <memory>
#include <string_view>

#include "weir/base/result.h"

struct psl_ctx_st;

namespace weir::enrich {

// The public suffix list: under which names (`com`, `co.uk`, `github.io`) others register theirs. Immutable.
class PublicSuffixes {
 public:
  // Knows no suffix.
  PublicSuffixes() = default;
  // `text`: the list as public_suffix_list.dat has it. 10 ms. Errors: kCorrupt (holds no rule).
  static Result<PublicSuffixes> load(std::string_view text);

  // What somebody registered of `host`: `example.co.uk` of `www.example.co.uk`. A view into `host`, which is lower-case
  // and without a root dot. Empty for a public suffix itself, an address, what is no host name.
  std::string_view registrable(std::string_view host) const;

 private:
  struct Free {
    void operator()(psl_ctx_st* list) const;
  };
  std::unique_ptr<psl_ctx_st, Free> list_;
};

}  // namespace weir::enrich
