// The four problems of the demo: inputs, a launch, and the expected outputs.
#ifndef QUERN_CLIENT_CLI_DEMO_PROBLEMS_H_
#define QUERN_CLIENT_CLI_DEMO_PROBLEMS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "client/runtime/launcher.h"

namespace quern {

// A launch of one sample kernel. The arrays live as long as the problem does.
struct DemoProblem {
  std::string name;
  std::string_view source;
  Grid grid;
  std::vector<uint64_t> args;
  std::vector<std::vector<float>> arrays;  // Inputs and outputs.
  size_t output = 0;                       // Index of the array checked.
  std::vector<double> expected;            // Computed here, in double.
  double tolerance = 0;                    // Largest |difference| accepted.

  // The largest difference between the output and what is expected; infinity
  // if one of them is not a number.
  double LargestError() const;
};

// Vector add, fused softmax, layer norm and matrix multiplication, at sizes
// that are no multiple of a block.
std::vector<DemoProblem> DemoProblems();

}  // namespace quern

#endif  // QUERN_CLIENT_CLI_DEMO_PROBLEMS_H_
