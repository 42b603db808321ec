#!/usr/bin/env python3
"""Compiles printed kernels, runs them, and compares with NumPy in float64.

    run_kernels.py --compiler PROGRAM --runner PROGRAM [--emulator PROGRAM]
        [--target TARGET] [--versions V,V...] [--only TEXT]
        kernels | corpus FOLDER

`kernels` are those of tests/kernels, in every version; `corpus` are Triton's
tutorials in FOLDER/tutorials, and passes, saying so, when FOLDER is not there.
Exits with 1 if any kernel does not compile, or gives a wrong value, or touches
what is not its own.
"""
import argparse
import collections
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
KERNELS = HERE.parent / "kernels"
sys.path[:0] = [str(HERE), str(KERNELS)]

import block_launches  # noqa: E402
import cases  # noqa: E402
import corpus_launches  # noqa: E402
import elementwise_launches  # noqa: E402
import formats  # noqa: E402
from launch import Buffer  # noqa: E402


def own_kernels():
    """(file, launches) for every printed kernel of tests/kernels."""
    modules = {"elementwise": elementwise_launches, "rows": block_launches,
               "blocks": block_launches}
    for version in cases.VERSIONS:
        for case in cases.cases_of(version):
            module, function = case.function.split(".")
            launches = getattr(modules[module], function)
            yield (KERNELS / version / f"{case.name}.ttir",
                   lambda case=case, launches=launches: launches(case))


def corpus_kernels(folder):
    """(file, launches) for the tutorials that are run."""
    for description in sorted((folder / "tutorials").glob("*/*.json")):
        info = json.loads(description.read_text())
        function = corpus_launches.TUTORIALS.get(info["kernel"])
        if function is None:
            continue
        if info["kernel"] == "matmul_kernel" and (
                "ACTIVATION" not in info["constexprs"]):
            continue
        yield (description.with_suffix(".ttir"),
               lambda info=info, function=function: function(info))


def compile_all(options, files, folder):
    """Images by file; None for what did not compile, with the reason."""
    arguments = [options.compiler, options.target, "image"]
    images = {}
    for i, file in enumerate(files):
        images[file] = folder / f"{i}.image"
        arguments += [str(file), str(images[file])]
    done = subprocess.run(arguments, capture_output=True, text=True)
    results = {}
    for line in done.stdout.splitlines():
        answer = json.loads(line)
        results[answer["file"]] = answer
    failures = {}
    for file in files:
        answer = results.get(str(file), {"error": "the compiler died: "
                                         + done.stderr[-300:]})
        if "error" in answer:
            failures[file] = "does not compile: " + answer["error"]
    return images, failures


def write_jobs(path, jobs, folder):
    with open(path, "w") as out:
        for number, (image, launch) in jobs:
            out.write(f"image {image}\n"
                      f"grid {' '.join(map(str, launch.grid))}\n")
            for i, argument in enumerate(launch.arguments):
                if isinstance(argument, Buffer):
                    file = folder / f"{number}.{i}"
                    argument.stored.tofile(file)
                    out.write(f"buffer {file}\n")
                else:
                    out.write(f"scalar {argument.bits():x}\n")
            out.write("run\n")


def run_jobs(options, jobs, folder):
    """The runner's answer to each job. A job that ends the process is
    answered by its last words; the next process goes on after it."""
    answers = []
    while len(answers) < len(jobs):
        path = folder / "jobs"
        write_jobs(path, list(enumerate(jobs))[len(answers):], folder)
        command = ([options.emulator] if options.emulator else []) + (
            options.emulator_arguments + [options.runner, str(path)])
        done = subprocess.run(command, capture_output=True, text=True)
        lines = done.stdout.splitlines()
        answers += lines
        if done.returncode != 0 and (not lines or lines[-1] == "ok"):
            answers.append(f"failed: the runner ended with {done.returncode} "
                           + done.stderr[-200:])
    return answers


def check(launch, number, answer, folder):
    if answer != "ok":
        return answer
    for i, argument in enumerate(launch.arguments):
        if not isinstance(argument, Buffer):
            continue
        stored = np.fromfile(folder / f"{number}.{i}",
                             formats.STORAGE[argument.type])
        wrong = argument.mismatch(stored)
        if wrong:
            return f"argument {i}: {wrong}"
    return None


def run_kernel_file(options, image, launches, folder):
    """What is wrong with each launch of one kernel."""
    launches = list(launches())
    jobs = [(image, launch) for launch in launches]
    answers = run_jobs(options, jobs, folder)
    for number, launch in enumerate(launches):
        wrong = check(launch, number, answers[number], folder)
        if wrong:
            yield f"{launch.name}: {wrong}"


def run_all(options, kernels):
    failed, launched = collections.Counter(), 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        images, failures = compile_all(options, [f for f, _ in kernels],
                                       folder)
        for file, launches in kernels:
            title = f"{file.parent.name}/{file.stem}"
            wrongs = ([failures[file]] if file in failures else
                      list(run_kernel_file(options, images[file], launches,
                                           folder)))
            for wrong in wrongs[:3]:
                print(f"{title}: {wrong}")
            failed[title] += bool(wrongs)
            launched += 1
    bad = sum(failed.values())
    print(f"{launched - bad} of {launched} kernels are right on "
          f"{options.target}")
    return 0 if bad == 0 and launched > 0 else 1


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--compiler", required=True)
    parser.add_argument("--runner", required=True)
    parser.add_argument("--emulator", default="")
    parser.add_argument("--emulator-arguments", default="",
                        type=lambda text: text.split())
    parser.add_argument("--target", default="host")
    parser.add_argument("--versions", default="",
                        type=lambda text: text.split(",") if text else [])
    parser.add_argument("--only", default="")
    parser.add_argument("what", choices=("kernels", "corpus"))
    parser.add_argument("folder", nargs="?", default="")
    options = parser.parse_args()
    if options.emulator_arguments == "":
        options.emulator_arguments = []
    if options.what == "kernels":
        kernels = list(own_kernels())
    else:
        folder = pathlib.Path(options.folder)
        if not folder.is_dir():
            print(f"skipped: there is no corpus at {folder}")
            return 0
        kernels = list(corpus_kernels(folder))
    kernels = [k for k in kernels if options.only in str(k[0]) and
               (not options.versions or k[0].parent.name in options.versions)]
    return run_all(options, kernels)


if __name__ == "__main__":
    sys.exit(main())
