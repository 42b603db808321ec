# How lit runs the tests of plans and of emitted code.
import lit.formats

config.name = "quern"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir"]
config.test_source_root = config.quern_source
config.test_exec_root = config.quern_output
config.substitutions.append(("quern-opt", config.quern_opt))
config.substitutions.append(("FileCheck", config.filecheck))
config.substitutions.append(("%{python}", "/usr/bin/python3"))
config.substitutions.append((r"\bnot\b", config.not_program))
