// JSON text (RFC 8259).
#include "client/cli/json.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"

namespace quern {
namespace {

// The length of the UTF-8 sequence at the start of `text`, or 0 if there is
// none. Overlong forms and surrogates do not count.
size_t SequenceLength(std::string_view text) {
  const auto byte = [&text](size_t i) {
    return static_cast<unsigned char>(text[i]);
  };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  const size_t length = first >= 0xf0   ? 4
                        : first >= 0xe0 ? 3
                        : first >= 0xc2 ? 2
                                        : 0;
  if (length == 0 || first > 0xf4 || text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  const unsigned second = byte(1);
  const bool overlong =
      (first == 0xe0 && second < 0xa0) || (first == 0xf0 && second < 0x90);
  const bool beyond =
      (first == 0xed && second >= 0xa0) || (first == 0xf4 && second >= 0x90);
  return overlong || beyond ? 0 : length;
}

std::string Joined(const std::vector<std::string>& parts) {
  std::string joined = "[";
  for (const std::string& part : parts) {
    if (joined.size() > 1) joined += ",";
    joined += part;
  }
  return joined + "]";
}

}  // namespace

std::string JsonText(std::string_view text) {
  std::string json = "\"";
  while (!text.empty()) {
    const size_t length = SequenceLength(text);
    const char character = text.front();
    if (length == 0) {
      json += "\\ufffd";
    } else if (character == '"' || character == '\\') {
      json += {'\\', character};
    } else if (static_cast<unsigned char>(character) < 0x20) {
      absl::StrAppendFormat(&json, "\\u%04x", character);
    } else {
      json += text.substr(0, length);
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return json + "\"";
}

std::string JsonNumber(double value) {
  if (!std::isfinite(value)) return "null";
  return absl::StrFormat("%.9g", value);
}

JsonObject& JsonObject::Add(std::string_view name,
                            const std::vector<JsonObject>& objects) {
  std::vector<std::string> parts;
  for (const JsonObject& object : objects) parts.push_back(object.ToString());
  return AddRaw(name, Joined(parts));
}

JsonObject& JsonObject::Add(std::string_view name,
                            const std::vector<std::string>& texts) {
  std::vector<std::string> parts;
  for (const std::string& text : texts) parts.push_back(JsonText(text));
  return AddRaw(name, Joined(parts));
}

JsonObject& JsonObject::AddRaw(std::string_view name, std::string_view json) {
  if (!members_.empty()) members_ += ",";
  members_ += JsonText(name);
  members_ += ":";
  members_ += json;
  return *this;
}

}  // namespace quern
