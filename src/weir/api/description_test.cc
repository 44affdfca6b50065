#include "weir/api/description.h"

#include <set>

#include "weir/api/access.h"
#include "weir/api/testing/api_fixture.h"

namespace weir::api {
namespace {
using http::Method;
namespace json = boost::json;

class DescriptionTest : public testing::ApiTest {};

// A route cannot be without its line in the access table, so what fits the table fits the routes.
TEST_F(DescriptionTest, HasEveryRouteOfTheAccessTableAndNoOther) {
  testing::Answer answer = ask(Method::get, "/api/openapi.json", "", {});
  ASSERT_EQ(answer.status, 200);
  EXPECT_EQ(answer.content_type, "application/json");
  std::set<std::string> described;
  const json::value document = answer.parsed();
  for (const auto& [path, methods] : document.at("paths").as_object()) {
    for (const auto& [method, operation] : methods.as_object()) {
      described.insert(std::string(method) + " " + std::string(path));
      EXPECT_FALSE(operation.at("summary").as_string().empty());
      EXPECT_TRUE(operation.at("responses").as_object().contains("default"));
    }
  }
  std::set<std::string> demanded;
  for (const RouteAccess& route : access_table()) {
    std::string method(http::name_of(route.method));
    for (char& c : method) c = static_cast<char>(c | 0x20);
    std::string path(route.path);
    if (path.ends_with('*')) path = path.substr(0, path.size() - 1) + "{id}";
    demanded.insert(method + " " + path);
  }
  EXPECT_EQ(described, demanded);
}

// What the description calls needed is needed, and what it does not know is refused.
TEST_F(DescriptionTest, SaysOfBodiesWhatTheRoutesDo) {
  json::value document = json::parse(openapi_json());
  size_t looked_at = 0;
  for (const auto& [path, methods] : document.at("paths").as_object()) {
    for (const auto& [method, operation] : methods.as_object()) {
      const json::value* body = operation.as_object().if_contains("requestBody");
      if (method != "post" || body == nullptr || !body->at("content").as_object().contains("application/json"))
        continue;
      std::string allowed;
      if (router_->find(Method::post, std::string(path), allowed) == nullptr) continue;  // app's
      const json::string& who = operation.at("x-weir-access").at("who").as_string();
      if (who == "anyone" || who == "person") continue;  // people_test.cc
      testing::Answer unknown = call(Method::post, std::string(path), R"({"no_such_field":1})");
      EXPECT_TRUE(unknown.status == 400 || unknown.status == 503) << path << " " << unknown.body;
      testing::Answer empty = call(Method::post, std::string(path), "{}");
      EXPECT_TRUE(empty.status == 400 || empty.status == 403 || empty.status == 503) << path << " " << empty.body;
      ++looked_at;
    }
  }
  EXPECT_GT(looked_at, 10u);
}

}  // namespace
}  // namespace weir::api
