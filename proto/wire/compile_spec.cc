// Canonical bytes of compile specs, and keys.
#include "proto/wire/compile_spec.h"

#include "absl/status/status.h"
#include "proto/wire/status.h"

namespace quern {
namespace {

constexpr uint64_t kFormatVersion = 1;
constexpr uint64_t kMaxFeatures = 4096;
constexpr uint64_t kMaxArguments = 4096;

void AppendNumber(std::string& out, uint64_t value) {
  for (int shift = 0; shift < 64; shift += 8) {
    out.push_back(static_cast<char>(value >> shift & 0xff));
  }
}

void AppendBytes(std::string& out, std::string_view bytes) {
  AppendNumber(out, bytes.size());
  out.append(bytes);
}

void AppendTarget(std::string& out, const TargetSpec& target) {
  AppendBytes(out, target.triple);
  AppendBytes(out, target.cpu);
  AppendNumber(out, target.features.size());
  for (const std::string& feature : target.features) AppendBytes(out, feature);
  AppendNumber(out, target.vector_length_bytes);
}

void AppendArgument(std::string& out, const ArgumentSpec& argument) {
  AppendBytes(out, argument.type);
  AppendNumber(out, argument.divisibility);
  AppendNumber(out, argument.constant.has_value() ? 1 : 0);
  AppendNumber(out, argument.constant.value_or(0));
}

// Takes numbers and strings off the front of a view.
class Reader final {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  absl::StatusOr<uint64_t> Number() {
    if (bytes_.size() < 8) return Malformed();
    uint64_t value = 0;
    for (int i = 7; i >= 0; --i) {
      value = value << 8 | static_cast<uint8_t>(bytes_[i]);
    }
    bytes_.remove_prefix(8);
    return value;
  }

  absl::StatusOr<std::string> Bytes() {
    QUERN_ASSIGN_OR_RETURN(const uint64_t size, Number());
    if (size > bytes_.size()) return Malformed();
    std::string result(bytes_.substr(0, size));
    bytes_.remove_prefix(size);
    return result;
  }

  bool empty() const { return bytes_.empty(); }

  static absl::Status Malformed() {
    return absl::InvalidArgumentError("malformed canonical bytes");
  }

 private:
  std::string_view bytes_;
};

absl::StatusOr<TargetSpec> TakeTarget(Reader& reader) {
  TargetSpec target;
  QUERN_ASSIGN_OR_RETURN(target.triple, reader.Bytes());
  QUERN_ASSIGN_OR_RETURN(target.cpu, reader.Bytes());
  QUERN_ASSIGN_OR_RETURN(const uint64_t count, reader.Number());
  if (count > kMaxFeatures) return Reader::Malformed();
  for (uint64_t i = 0; i < count; ++i) {
    QUERN_ASSIGN_OR_RETURN(std::string feature, reader.Bytes());
    target.features.push_back(std::move(feature));
  }
  QUERN_ASSIGN_OR_RETURN(const uint64_t length, reader.Number());
  if (length > UINT32_MAX) return Reader::Malformed();
  target.vector_length_bytes = static_cast<uint32_t>(length);
  return target;
}

absl::StatusOr<ArgumentSpec> TakeArgument(Reader& reader) {
  ArgumentSpec argument;
  QUERN_ASSIGN_OR_RETURN(argument.type, reader.Bytes());
  QUERN_ASSIGN_OR_RETURN(const uint64_t divisibility, reader.Number());
  QUERN_ASSIGN_OR_RETURN(const uint64_t is_constant, reader.Number());
  QUERN_ASSIGN_OR_RETURN(const uint64_t constant, reader.Number());
  if (divisibility > UINT32_MAX || is_constant > 1 ||
      (is_constant == 0 && constant != 0)) {
    return Reader::Malformed();
  }
  argument.divisibility = static_cast<uint32_t>(divisibility);
  if (is_constant == 1) argument.constant = constant;
  return argument;
}

}  // namespace

std::string CanonicalBytes(const CompileSpec& spec) {
  std::string out;
  out.reserve(spec.source.size() + 1024);
  AppendNumber(out, kFormatVersion);
  AppendNumber(out, static_cast<uint64_t>(spec.format));
  AppendBytes(out, spec.source);
  AppendBytes(out, spec.entry);
  AppendNumber(out, spec.signature.size());
  for (const ArgumentSpec& argument : spec.signature) {
    AppendArgument(out, argument);
  }
  AppendTarget(out, spec.target);
  AppendNumber(out, spec.options.fp_contract ? 1 : 0);
  return out;
}

std::string CanonicalBytes(const TargetSpec& target) {
  std::string out;
  AppendTarget(out, target);
  return out;
}

absl::StatusOr<CompileSpec> ParseSpec(std::string_view canonical_bytes) {
  Reader reader(canonical_bytes);
  CompileSpec spec;
  QUERN_ASSIGN_OR_RETURN(const uint64_t version, reader.Number());
  QUERN_ASSIGN_OR_RETURN(const uint64_t format, reader.Number());
  if (version != kFormatVersion ||
      format < static_cast<uint64_t>(SourceFormat::kTritonIr) ||
      format > static_cast<uint64_t>(SourceFormat::kLlvmIr)) {
    return Reader::Malformed();
  }
  spec.format = static_cast<SourceFormat>(format);
  QUERN_ASSIGN_OR_RETURN(spec.source, reader.Bytes());
  QUERN_ASSIGN_OR_RETURN(spec.entry, reader.Bytes());
  QUERN_ASSIGN_OR_RETURN(const uint64_t count, reader.Number());
  if (count > kMaxArguments) return Reader::Malformed();
  for (uint64_t i = 0; i < count; ++i) {
    QUERN_ASSIGN_OR_RETURN(ArgumentSpec argument, TakeArgument(reader));
    spec.signature.push_back(std::move(argument));
  }
  QUERN_ASSIGN_OR_RETURN(spec.target, TakeTarget(reader));
  QUERN_ASSIGN_OR_RETURN(const uint64_t contract, reader.Number());
  if (contract > 1 || !reader.empty()) return Reader::Malformed();
  spec.options.fp_contract = contract == 1;
  return spec;
}

absl::StatusOr<TargetSpec> ParseTarget(std::string_view canonical_bytes) {
  Reader reader(canonical_bytes);
  QUERN_ASSIGN_OR_RETURN(TargetSpec target, TakeTarget(reader));
  if (!reader.empty()) return Reader::Malformed();
  return target;
}

KernelKey KeyOf(const CompileSpec& spec, const BuildId& build_id) {
  std::string bytes = CanonicalBytes(spec);
  bytes.append(reinterpret_cast<const char*>(build_id.data()), build_id.size());
  return KernelKey{Sha256(bytes)};
}

}  // namespace quern
