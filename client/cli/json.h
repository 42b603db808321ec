// Writes JSON: objects and arrays of numbers, text and truth values.
#ifndef QUERN_CLIENT_CLI_JSON_H_
#define QUERN_CLIENT_CLI_JSON_H_

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace quern {

// `text` in quotation marks, with what JSON forbids escaped. Bytes that are
// not UTF-8 become U+FFFD.
std::string JsonText(std::string_view text);

// A number as JSON has it; what it has not (NaN, infinity) becomes null.
std::string JsonNumber(double value);

// An object whose members keep the order in which they were added.
class JsonObject final {
 public:
  JsonObject& Add(std::string_view name, std::string_view text) {
    return AddRaw(name, JsonText(text));
  }
  JsonObject& Add(std::string_view name, const char* text) {
    return AddRaw(name, JsonText(text));
  }
  JsonObject& Add(std::string_view name, const std::string& text) {
    return AddRaw(name, JsonText(text));
  }
  JsonObject& Add(std::string_view name, bool value) {
    return AddRaw(name, value ? "true" : "false");
  }
  JsonObject& Add(std::string_view name, double value) {
    return AddRaw(name, JsonNumber(value));
  }
  template <std::integral Integer>
  JsonObject& Add(std::string_view name, Integer value) {
    return AddRaw(name, std::to_string(value));
  }
  JsonObject& Add(std::string_view name, const JsonObject& object) {
    return AddRaw(name, object.ToString());
  }
  JsonObject& Add(std::string_view name,
                  const std::vector<JsonObject>& objects);
  JsonObject& Add(std::string_view name, const std::vector<std::string>& texts);

  std::string ToString() const { return "{" + members_ + "}"; }

 private:
  JsonObject& AddRaw(std::string_view name, std::string_view json);

  std::string members_;
};

}  // namespace quern

#endif  // QUERN_CLIENT_CLI_JSON_H_
