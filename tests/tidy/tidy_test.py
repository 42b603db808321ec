#!/usr/bin/env python3
# The tidy test: reads the sources and fails on what the house rules forbid.
# Each finding names its place and what to do instead.
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent

LINES_MAX = 400
FUNCTION_LINES_MAX = 70

# Which folders' headers a folder may include, besides its own. The longest
# prefix that matches a file decides. Nothing else may be included.
MAY_INCLUDE = {
    "proto/wire": [],
    "cache": ["proto/wire"],
    "server/sandbox": ["proto/wire"],
    "client/runtime": ["proto/wire"],
    "client/rpc": ["proto/wire", "client/runtime", "quern/v1"],
    "client/library": ["proto/wire", "client/runtime", "client/rpc",
                       "client/include", "quern/v1"],
    "client/include": ["quern/quern.h"],
    "client/cli": ["proto/wire", "client/runtime", "client/rpc",
                   "client/library", "quern/v1"],
    "compiler": ["proto/wire"],
    "server/core": ["proto/wire", "cache", "compiler/api"],
    "server/workers": ["proto/wire", "cache", "compiler/api", "server/core",
                       "server/sandbox", "quern/v1", "quern/worker/v1"],
    # An executor launches as a client does that launches directly.
    "server/executor": ["proto/wire", "client/runtime", "server/core",
                        "server/sandbox"],
    "server/attach": ["proto/wire", "cache", "server/core", "server/executor",
                      "server/sandbox"],
    "server/rpc": ["proto/wire", "cache", "compiler/api", "server/core",
                   "server/sandbox", "quern/v1"],
    "server/app": ["proto/wire", "cache", "compiler/api", "server", "quern/v1",
                   "quern/config/v1", "quern/worker/v1",
                   "client/library/version.h"],
}

# Folders of the public packages of protos and of ours: an include that begins
# with one of these is checked against the table.
OURS = ("proto/", "cache/", "client/", "compiler/", "server/", "tests/",
        "quern/")

# A word that may not occur in code (comments and strings are not looked at),
# and what to use.
FORBIDDEN = {
    r"\bgetenv\b": "configuration comes from the one configuration file",
    r"\bcantFail\b": "return the error",
    r"\bsleep_for\b": "wait for the event itself, with a time limit",
    r"\breport_fatal_error\b": "return absl::Status",
    r"\bstd::cout\b": "print in client/cli, log elsewhere",
    r"\bassert\(": "return absl::Status; asserts are gone in a release",
}

MARKS = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
SOURCES = (".cc", ".cpp", ".h", ".hpp")


def tracked_files():
    listed = subprocess.run(["git", "-C", str(ROOT), "ls-files", "-s"],
                            check=True, capture_output=True, text=True).stdout
    for line in listed.splitlines():
        mode, _, _, path = re.split(r"[ \t]", line, maxsplit=3)
        if (ROOT / path).is_symlink() or (ROOT / path).exists():
            yield mode, path


def without_comments_and_strings(text):
    """`text` with comments and literals blanked, line breaks kept."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match.group(0))
    pattern = (r'R"(\w*)\((?:.|\n)*?\)\1"|//[^\n]*|/\*(?:.|\n)*?\*/|'
               r'"(?:\\.|[^"\\\n])*"|' r"(?<!\d)'(?:\\.|[^'\\\n])+'")
    return re.sub(pattern, blank, text)


def function_lengths(code):
    """Yields (line, length) of each block that begins at column 0 or 2 with a
    line that ends in "{" after a ")", in clang-format's layout."""
    lines = code.split("\n")
    for number, line in enumerate(lines):
        head = re.match(r"^( {0,2})\S.*\)[^;=]*\{\s*$", line)
        if not head or re.match(r"^\s*(namespace|class|struct|enum|extern|"
                                r"union|switch|for|while|if|else|do)\b", line):
            continue
        indent = head.group(1)
        for end in range(number + 1, len(lines)):
            if re.match(rf"^{indent}\}}", lines[end]):
                yield number + 1, end - number + 1
                break


def allowed_includes(path):
    best = max((folder for folder in MAY_INCLUDE
                if path.startswith(folder + "/")), key=len, default=None)
    return best, None if best is None else MAY_INCLUDE[best]


def check_includes(path, text):
    folder, allowed = allowed_includes(path)
    if folder is None:
        return
    for number, line in enumerate(text.split("\n"), 1):
        include = re.match(r'#include "([^"]+)"', line)
        if not include or not include.group(1).startswith(OURS):
            continue
        target = include.group(1)
        if target.startswith(folder + "/"):
            continue
        if not any(target == each or target.startswith(each + "/")
                   for each in allowed):
            yield (f"{path}:{number}: {folder} may not include {target}; "
                   f"it may include {', '.join(allowed) or 'nothing of ours'}")


def check_source(path, text):
    code = without_comments_and_strings(text)
    if not text.startswith(("//", "/*")):
        yield f"{path}:1: begin with a comment that says what the file is"
    if not path.startswith("tests/"):
        yield from check_includes(path, text)
        for pattern, instead in FORBIDDEN.items():
            for match in re.finditer(pattern, code):
                line = code.count("\n", 0, match.start()) + 1
                yield (f"{path}:{line}: `{match.group(0)}` is not used here: "
                       f"{instead}")
    for line, length in function_lengths(code):
        if length > FUNCTION_LINES_MAX:
            yield (f"{path}:{line}: a function of {length} lines; split it, "
                   f"{FUNCTION_LINES_MAX} is the most")


def check_lines(path, text):
    if path.endswith((*SOURCES, ".py", ".td", ".sh")):
        count = text.count("\n")
        if count > LINES_MAX:
            yield (f"{path}: {count} lines; split it by idea, {LINES_MAX} is "
                   "the most")
    if path == "tests/tidy/tidy_test.py":
        return
    for number, line in enumerate(text.split("\n"), 1):
        if MARKS.search(line):
            yield f"{path}:{number}: finish it, or say that it is unsupported"
        # Split, so that this file does not name them.
        if re.search(r"(^|[\s\"'(=])/(" + "wo" + "rk|ro" + r"ot)/", line):
            yield f"{path}:{number}: a path of some machine"


def check_lit(path, text):
    runs = re.sub(r"\\\n\S* *RUN:", " ", text)
    for match in re.finditer(r"RUN:[^\n]*", runs):
        if "FileCheck" not in match.group(0) and \
                "verify-diagnostics" not in match.group(0) and \
                not match.group(0).strip().endswith("\\"):
            yield f"{path}: a RUN line that checks nothing; pipe to FileCheck"


def check_tablegen(path, text):
    for match in re.finditer(r"let description = \[\{\s*\}\]", text):
        line = text.count("\n", 0, match.start()) + 1
        yield f"{path}:{line}: an empty description; say what it does"


def check_mentioned(paths):
    """Every source is named in a CMakeLists.txt of its folder or above."""
    for path in paths:
        if not path.endswith((".cc", ".cpp", ".td")):
            continue
        # quern_test(x) builds x_test.cc, quern_fuzz_target(x) x_fuzz.cc.
        stem = re.sub(r"(_test|_fuzz)?\.cc$", "", Path(path).name)
        for folder in Path(path).parents:
            lists = ROOT / folder / "CMakeLists.txt"
            if lists.exists() and re.search(
                    rf"(^|[\s/(]){re.escape(stem)}(_fuzz|_test)?(\.cc|[\s)]|$)", lists.read_text(),
                    re.M):
                break
        else:
            yield f"{path}: no CMakeLists.txt builds it; add or delete it"


def findings():
    paths = []
    for mode, path in tracked_files():
        file = ROOT / path
        if mode == "120000":
            yield f"{path}: a symbolic link; use a path"
            continue
        data = file.read_bytes()
        if b"\0" in data:
            yield f"{path}: a binary; generate it in the build"
            continue
        paths.append(path)
        text = data.decode("utf-8")
        yield from check_lines(path, text)
        if path.endswith(SOURCES):
            yield from check_source(path, text)
        if path.endswith(".td"):
            yield from check_tablegen(path, text)
        if path.startswith("tests/compiler/") and \
                path.endswith((".mlir", ".ttir", ".test")):
            yield from check_lit(path, text)
    yield from check_mentioned(paths)


def main():
    found = list(findings())
    for finding in found:
        print(finding)
    print(f"{len(found)} findings")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
