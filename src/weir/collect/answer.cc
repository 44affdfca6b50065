#include "weir/collect/answer.h"

#include "weir/base/json_writer.h"

namespace weir::collect {

namespace {
std::string list(const Tally& tally) {
  std::string body = R"({"accepted":)" + std::to_string(tally.accepted) + R"(,"rejected":[)";
  for (const auto& [index, error] : tally.rejected) {
    if (body.back() != '[') body.push_back(',');
    body += R"({"index":)" + std::to_string(index) + R"(,"error":)";
    append_json_string(body, error.message);
    body.push_back('}');
  }
  body += R"(],"dropped":[)";
  for (const auto& [index, reason] : tally.dropped) {
    if (body.back() != '[') body.push_back(',');
    body += R"({"index":)" + std::to_string(index) + R"(,"reason":)";
    append_json_string(body, name_of(reason));
    body.push_back('}');
  }
  body += "]}";
  return body;
}
}  // namespace

http::Response answer(Shape shape, const Tally& tally) {
  bool only_rejected = tally.accepted == 0 && !tally.rejected.empty();
  bool only_dropped = tally.accepted == 0 && tally.rejected.empty() && !tally.dropped.empty();
  int status = only_rejected ? 400 : only_dropped ? 202 : 201;
  if (shape == Shape::many) return http::json_response(status, list(tally));
  if (only_rejected) {
    const Error& error = tally.rejected.front().error;
    return http::error_response({error.code, "collect: " + error.message});
  }
  http::Response response;
  response.status = status;
  if (only_dropped) response.headers.emplace_back("X-Weir-Dropped", name_of(tally.dropped.front().reason));
  return response;
}

}  // namespace weir::collect
