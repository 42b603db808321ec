// Requests from specs.
#include "client/rpc/compile_messages.h"

namespace quern {

v1::CompileRequest ToProto(const CompileSpec& spec) {
  v1::CompileRequest request;
  request.set_format(static_cast<v1::SourceFormat>(spec.format));
  request.set_source(spec.source);
  request.set_entry(spec.entry);
  for (const ArgumentSpec& argument : spec.signature) {
    v1::Argument& message = *request.add_signature();
    message.set_type(argument.type);
    message.set_divisibility(argument.divisibility);
    if (argument.constant.has_value()) {
      message.set_constant(*argument.constant);
    }
  }
  if (!spec.target.IsHost()) {
    v1::Target& target = *request.mutable_target();
    target.set_triple(spec.target.triple);
    target.set_cpu(spec.target.cpu);
    for (const std::string& feature : spec.target.features) {
      target.add_features(feature);
    }
  }
  if (!spec.options.fp_contract) {
    request.mutable_options()->set_disable_fp_contract(true);
  }
  return request;
}

}  // namespace quern
