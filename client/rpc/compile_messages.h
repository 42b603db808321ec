// Between compile specs and the messages of KernelService.
#ifndef QUERN_CLIENT_RPC_COMPILE_MESSAGES_H_
#define QUERN_CLIENT_RPC_COMPILE_MESSAGES_H_

#include "proto/wire/compile_spec.h"
#include "quern/v1/kernel_service.pb.h"

namespace quern {

// The request that asks for `spec`. An empty target asks for the daemon's own.
v1::CompileRequest ToProto(const CompileSpec& spec);

}  // namespace quern

#endif  // QUERN_CLIENT_RPC_COMPILE_MESSAGES_H_
