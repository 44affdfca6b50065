#include "weir/store/endpoint.h"

namespace weir::store {

namespace {
class FixedEndpoint final : public Endpoints {
 public:
  explicit FixedEndpoint(Endpoint endpoint) : endpoint_(std::move(endpoint)) {}
  Result<Endpoint> endpoint() const override { return endpoint_; }
  // A ClickHouse server keeps file() to its own user_files; the rest is its operator's care.
  std::string unconfined() const override { return {}; }

 private:
  const Endpoint endpoint_;
};
}  // namespace

Result<std::unique_ptr<Endpoints>> fixed_endpoint(const Options& options) {
  Endpoint endpoint;
  endpoint.url = options.url;
  while (endpoint.url.ends_with('/')) endpoint.url.pop_back();
  size_t scheme = endpoint.url.starts_with("http://") ? 7 : endpoint.url.starts_with("https://") ? 8 : 0;
  if (scheme == 0 || endpoint.url.size() == scheme || endpoint.url.find_first_of("/?#@ ", scheme) != std::string::npos)
    return Error{ErrorCode::kBadInput, "store: store.url is not of the form http://HOST:PORT or https://HOST:PORT"};
  for (const std::string* text : {&options.user, &options.password})
    if (text->find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos)
      return Error{ErrorCode::kBadInput, "store: store.user or store.password holds a line end"};
  endpoint.headers = {{"X-ClickHouse-User", options.user}, {"X-ClickHouse-Key", options.password}};
  return std::unique_ptr<Endpoints>(std::make_unique<FixedEndpoint>(std::move(endpoint)));
}

}  // namespace weir::store
