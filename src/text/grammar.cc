#include "text/grammar.h"

#include <fmt/format.h>

#include <exception>

#include "json-schema-to-grammar.h"
#include "json.h"

namespace ltri {

Result<Grammar> GrammarOfSchema(std::string_view schema) {
  try {
    Grammar grammar;
    grammar.rules = json_schema_to_grammar(common_json::parse(std::string(schema)), /*force_gbnf=*/true);
    return grammar;
  } catch (const std::exception& e) {
    return Error{ErrorCode::kInvalidArgument, fmt::format("the JSON schema cannot be used: {}", e.what())};
  }
}

}  // namespace ltri
