// The kernels that come with the program: texts of tests/kernels, printed by
// stock Triton 3.6.
#ifndef QUERN_CLIENT_CLI_SAMPLE_KERNELS_H_
#define QUERN_CLIENT_CLI_SAMPLE_KERNELS_H_

#include <string>
#include <string_view>

namespace quern {

extern const std::string_view kAddSource;        // add_f32
extern const std::string_view kSoftmaxSource;    // softmax_f32
extern const std::string_view kLayerNormSource;  // layer_norm_f32
extern const std::string_view kMatmulSource;     // matmul_f32
extern const std::string_view kNothingSource;    // nothing

// `source` with a comment before it that no cache has seen: another key, the
// same code.
std::string Unseen(std::string_view source);

}  // namespace quern

#endif  // QUERN_CLIENT_CLI_SAMPLE_KERNELS_H_
