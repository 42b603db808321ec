#!/usr/bin/env python3
"""Prints the Triton IR of every case with the Triton that is installed.

    python3 generate.py

writes VERSION/NAME.ttir beside this file, VERSION being that of the triton
package of this Python. No GPU is needed: only the front end runs, for a
compute capability that leaves pointers as pointers. The files in git are of
3.3.1, 3.4.0, 3.5.1, 3.6.0, 3.7.1, 3.8.0 and 3.9.0; to keep them small, only
the first, a middle and the last version print every case (cases.py).
"""
import importlib
import inspect
import pathlib
import re
import sys

FOLDER = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(FOLDER), str(FOLDER / "sources")]

import triton  # noqa: E402
from triton._C.libtriton import ir  # noqa: E402
from triton.backends.compiler import GPUTarget  # noqa: E402
from triton.compiler.compiler import ASTSource, make_backend  # noqa: E402

from cases import cases_of  # noqa: E402

CAPABILITY = 80
DIVISIBILITY = [["tt.divisibility", 16]]


def call(function, **available):
    """Calls a method of Triton with those of `available` that it takes."""
    names = inspect.signature(function).parameters
    return function(**{n: available[n] for n in names if n in available})


def source_of(case):
    module, name = case.function.split(".")
    function = getattr(importlib.import_module(module), name)
    signature, constants, attributes = {}, dict(case.constants), {}
    for i, parameter in enumerate(function.arg_names):
        if parameter in case.constants:
            signature[parameter] = "constexpr"
            continue
        argument = case.arguments[i]
        if isinstance(argument, int):
            signature[parameter] = "constexpr"
            constants[parameter] = argument
            continue
        signature[parameter] = argument
        if argument.startswith("*"):
            attributes[(i,)] = DIVISIBILITY
    return ASTSource(function, signature, constants, attributes)


def module_of(case):
    target = GPUTarget("cuda", CAPABILITY, 32)
    backend = make_backend(target)
    options = backend.parse_options({})
    context = ir.context()
    ir.load_dialects(context)
    backend.load_dialects(context)
    source = source_of(case)
    module = call(source.make_ir, target=target, options=options,
                  codegen_fns=backend.get_codegen_implementation(options),
                  module_map=backend.get_module_map(), context=context)
    module = call(backend.make_ttir, mod=module, metadata={}, opt=options,
                  options=options, capability=CAPABILITY)
    return context, module


def text_of(case):
    context, module = module_of(case)
    if case.with_locations:
        return re.sub(r'"[^"]*/sources/', '"sources/', str(module))
    if hasattr(module, "str_nodebug"):
        return module.str_nodebug()
    text = re.sub(r"^#loc.*\n", "", str(module), flags=re.MULTILINE)
    place = r'(?:#loc\d*|"[^"]*"(?:\(#loc\d*\)|:\d+:\d+)|unknown)'
    return re.sub(rf" loc\((?:{place}|callsite\({place} at {place}\))\)", "",
                  text)


def main():
    folder = FOLDER / triton.__version__
    folder.mkdir(exist_ok=True)
    cases = cases_of(triton.__version__)
    for case in cases:
        (folder / f"{case.name}.ttir").write_text(text_of(case))
    print(f"{len(cases)} kernels in {folder.name}/")


if __name__ == "__main__":
    main()
