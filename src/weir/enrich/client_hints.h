#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace weir::enrich {

// What a browser says of itself in client hints (https://wicg.github.io/ua-client-hints/), beside the user agent.
struct ClientHints {
  struct Brand {
    std::string name;
    std::string version;  // as far as it was said: "147" or "147.0.7727.55"
  };
  std::vector<Brand> brands;  // of the full version list where there is one; without the made-up ones (GREASE)
  enum class Mobile : uint8_t { unknown, no, yes } mobile = Mobile::unknown;
  std::string platform;
  std::string platform_version;
  std::string model;
  std::vector<std::string> form_factors;
  std::string requested_with;  // the application around a WebView

  // `json`: an object of header names in lower case and their values, or empty. What cannot be understood is absent;
  // texts that are longer, or lists that have more entries, than browsers send are left out.
  static ClientHints parse(std::string_view json);
};

}  // namespace weir::enrich
