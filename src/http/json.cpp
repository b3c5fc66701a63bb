// SPDX-License-Identifier: Apache-2.0
#include "http/json.hpp"

#include <set>

namespace regroup::http {
namespace {

constexpr std::string_view kFlatObject = "send one JSON object in UTF-8";

using nlohmann::json;

int nesting(std::string_view text) {
  int depth = 0;
  int deepest = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string && c == '\\')
      ++i;
    else if (c == '"')
      in_string = !in_string;
    else if (!in_string && (c == '{' || c == '['))
      deepest = std::max(deepest, ++depth);
    else if (!in_string && (c == '}' || c == ']'))
      --depth;
  }
  return deepest;
}

// Sees each member name as the parser meets it.
class TwiceNamed {
 public:
  bool operator()(int, json::parse_event_t event, json& value) {
    if (event == json::parse_event_t::object_start) names_.emplace_back();
    if (event == json::parse_event_t::object_end) names_.pop_back();
    if (event == json::parse_event_t::key) found |= !names_.back().insert(value.get<std::string>()).second;
    return true;
  }
  bool found = false;

 private:
  std::vector<std::set<std::string>> names_;
};

}  // namespace

Result<json> parse_json_object(std::string_view text, std::string_view clause, std::string_view what) {
  if (nesting(text) > kMaxJsonDepth)
    return fail(Errc::limit, clause,
                std::string(what) + " is nested deeper than " + std::to_string(kMaxJsonDepth),
                std::string(kFlatObject));
  TwiceNamed twice;
  json value = json::parse(text.begin(), text.end(), std::ref(twice), false);
  if (value.is_discarded() || !value.is_object())
    return fail(Errc::malformed, clause, std::string(what) + " is not a JSON object",
                std::string(kFlatObject));
  if (twice.found)
    return fail(Errc::malformed, clause, std::string(what) + " names a member twice",
                "write each member once");
  return value;
}

std::string text_member(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace regroup::http
