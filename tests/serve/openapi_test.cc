// docs/openapi.json against the running server.
#include <gtest/gtest.h>

#include <fstream>

#include "support/running_server.h"
#include "support/temporary_folder.h"

namespace ltri {
namespace {

using namespace ltri::testing;  // NOLINT(google-build-using-namespace)
using Json = ltri::testing::Json;

// Checks types, required fields and choices, as far as the file uses them.
void Check(const Json& root, Json schema, const Json& value, const std::string& place) {
  if (schema.contains("$ref")) {
    schema = root.at(Json::json_pointer(schema["$ref"].get<std::string>().substr(1)));
  }
  if (!schema.contains("type") || (value.is_null() && schema.value("nullable", false))) return;
  const std::string type = schema["type"];
  const bool fits = (type == "object" && value.is_object()) || (type == "array" && value.is_array()) ||
                    (type == "string" && value.is_string()) || (type == "integer" && value.is_number_integer()) ||
                    (type == "number" && value.is_number()) || (type == "boolean" && value.is_boolean());
  ASSERT_TRUE(fits) << place << " is " << value << ", not of type " << type;
  for (const Json& name : schema.value("required", Json::array())) {
    ASSERT_TRUE(value.contains(name.get<std::string>())) << place << " lacks " << name << ": " << value;
  }
  const Json properties = schema.value("properties", Json::object());
  if (value.is_object() && !properties.empty()) {
    for (const auto& [name, field] : value.items()) {
      ASSERT_TRUE(properties.contains(name)) << place << "." << name << " is not described";
      Check(root, properties[name], field, place + "." + name);
    }
  }
  if (value.is_array()) {
    for (const Json& item : value) Check(root, schema.value("items", Json::object()), item, place + "[]");
  }
}

class OpenApiTest : public ::testing::Test {
 protected:
  OpenApiTest() {
    std::ifstream file(std::string(LTRI_DOCS) + "/openapi.json");
    root_ = Json::parse(file);
    HttpServerOptions options = TestOptions();
    options.library = folder_.path() + "/library";
    server_ = std::make_unique<RunningServer>(options);
  }

  static std::string Filled(std::string path, const std::string& name) {
    const size_t at = path.find("{name}");
    return at == std::string::npos ? path : path.replace(at, 6, name);
  }

  TemporaryFolder folder_;
  Json root_;
  std::unique_ptr<RunningServer> server_;
};

TEST_F(OpenApiTest, EveryPathIsServedAsDescribed) {
  const Json bodies = {{"/v1/chat/completions",
                        {{"messages", Json::array({{{"role", "user"}, {"content", "x"}}})}, {"ltri", {{"map", true}}}}},
                       {"/v1/completions", {{"prompt", "x"}, {"max_tokens", 2}}},
                       {"/tokenize", {{"content", "x"}}},
                       {"/detokenize", {{"tokens", {65, 66}}}}};
  for (const auto& [path, methods] : root_["paths"].items()) {
    const std::string name = path.starts_with("/v1/models") ? "tiny-chat" : "missing";
    for (const auto& [method, operation] : methods.items()) {
      httplib::Client client = server_->Client();
      httplib::Result result;
      if (method == "get") result = client.Get(Filled(path, name));
      if (method == "delete") result = client.Delete(Filled(path, name));
      if (method == "post" && path == "/v1/documents") {
        result = client.Post(path + "?name=one", "Some words.", "application/octet-stream");
      } else if (method == "post") {
        result = client.Post(path, bodies.at(path).dump(), "application/json");
      }
      ASSERT_TRUE(result) << method << " " << path;
      const std::string status = std::to_string(result->status);
      const Json& responses = operation["responses"];
      const Json& response = responses.contains(status) ? responses[status] : responses["default"];
      const auto content = response["content"].begin();
      const std::string& type = content.key();
      EXPECT_TRUE(result->get_header_value("Content-Type").starts_with(type)) << method << " " << path;
      if (type != "application/json") continue;
      EXPECT_TRUE(responses.contains(status) || name == "missing") << method << " " << path << ": " << result->body;
      Check(root_, content.value()["schema"], Json::parse(result->body), method + " " + path);
    }
  }
}

TEST_F(OpenApiTest, NoPathIsReachedWithoutTheKey) {
  const TemporaryFolder folder;
  HttpServerOptions options = TestOptions();
  options.api_key_file = folder.path() + "/keys";
  options.library = folder.path() + "/library";
  std::ofstream(options.api_key_file) << "a-secret-key\n";
  const RunningServer server(options);
  for (const auto& [path, methods] : root_["paths"].items()) {
    if (path == "/health") continue;
    for (const char* method : {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}) {
      httplib::Request request;
      request.method = method;
      request.path = Filled(path, "x");
      request.set_header("Content-Type", "application/json");
      request.body = request.method == "GET" ? "" : "{}";
      const auto result = server.Client().send(request);
      ASSERT_TRUE(result) << method << " " << path;
      EXPECT_EQ(result->status, 401) << method << " " << path;
    }
  }
}

}  // namespace
}  // namespace ltri
