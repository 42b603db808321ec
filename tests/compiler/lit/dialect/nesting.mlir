// RUN: %{python} -c "print('(' * 256)" > %t && not quern-opt %t 2>&1 | FileCheck %s --check-prefix=LIMIT
// RUN: %{python} -c "print('(' * 257)" > %t && not quern-opt %t 2>&1 | FileCheck %s --check-prefix=BEYOND

// 256 open brackets reach the parser, which finds them wrong; 257 do not.
// LIMIT: INVALID_ARGUMENT: 1:1: {{.*}}expected
// BEYOND: INVALID_ARGUMENT: 1:257: brackets nest deeper than 256
