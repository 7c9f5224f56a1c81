"""Runs a work-group of each kernel of a program that ptxas made, against double precision.
usage: emulate.py NVDISASM SOURCE CUBIN NAME [--thorough]
SOURCE is what `sqa source` printed; NAME is what to call it. Prints lines per kernel; exit
status 1: one is wrong."""
import itertools
import sys

import attention
import linear
import linear_backward
import matmul
import rowwise
from machine import Machine
from sass import Program
from source import Source

PROBLEMS = {kernel: kind for kind in (attention.Problem, linear.Problem,
                                          linear_backward.Problem, matmul.Problem, rowwise.Problem)
            for kernel in kind.KERNELS}


# Of a program that is emulated otherwise.
BEYOND = {"sqa_choose_blocks": "counts by atomics, which the emulator does not know"}


def splits_of(kernel):
    """Into how many splits keys are divided, of kernels that know such; a list of arguments each."""
    return [[n] for n in getattr(PROBLEMS[kernel], "SPLITS", {}).get(kernel, ())] or [[]]


def emulate(problem, source, program, kernel):
    """What is wrong with it, and its error."""
    machine = Machine(program, problem.arguments(), problem.memory, problem.group,
                      problem.groups, source.kernels[kernel])
    machine.run()
    error, excused = problem.error()
    wrong = [text for _, _, text in machine.faults]
    if error > excused:
        wrong.append(f"error {error:.1e}; expected {excused:.1e} at most")
    return wrong, error, sum(machine.executed.values())


def main(nvdisasm, path, cubin, name, thorough=None):
    with open(path, encoding="utf-8") as file:
        source = Source(file.read())
    failed = False
    for kernel in source.kernels:  # those whose work-groups the family chooses
        if kernel in BEYOND:
            print(f"{name} {kernel}: not emulated, {BEYOND[kernel]}")
            continue
        program = Program(nvdisasm, cubin, kernel)
        source.look_at(kernel)
        # Rows that begin where whole vectors can be read, and rows that do not.
        for spare, splits in itertools.product((8, 1) if thorough else (8,), splits_of(kernel)):
            problem = PROBLEMS[kernel](source, kernel, spare, *splits)
            wrong, error, steps = emulate(problem, source, program, kernel)
            of = f", splits {splits[0]}" if splits else ""
            print(f"{name} {kernel}, rows {spare} apart{of}: error {error:.1e}, {steps} steps")
            for text in wrong:
                print(f"FAILED {name} {kernel}: {text}")
            failed = failed or bool(wrong)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
