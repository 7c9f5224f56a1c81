#!/usr/bin/env python3
"""`sqa tune` beside Kernel Tuner: the same kernels, problem, device and budget.

    python3 tuner/compare_kernel_tuner.py SQA SWEEP [--budget SECONDS] [--strategy NAME] [--rounds N]

SWEEP is a recorded sweep (tests/search/sweeps), of which the first line is read: shape, family and
values of its parameters. Both search these configurations; `sqa tune` begins with the default, and
holds its finals within the budget. Both begin with cold caches. In the end the default and what
either found are timed in turn. Needs kernel_tuner, pyopencl and numpy of PyPI, and forward
attention without a mask or a split.
"""
import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time

TIMES = 9  # launches of each in a round of the comparison at the end


def configuration(values):
    return ",".join(f"{name}={value}" for name, value in values.items())


class Problem:
    """Shape and space, and what `sqa source` makes of a configuration."""

    def __init__(self, sqa, sweep):
        with open(sweep, encoding="utf-8") as file:
            header = json.loads(file.readline())
        self.sqa, self.shape, self.family = sqa, header["shape"], header["family"]
        self.space = header["parameters"]
        self.sizes = {key: int(value) for key, value in re.findall(r"(\w+)=(\d+)", self.shape)}
        self.sources = {}

    def source(self, config=None):
        """Of a configuration, or of the default: text, global size, build options, kernel."""
        if config not in self.sources:
            chosen = ["--set", config] if config else []
            text = subprocess.run([self.sqa, "source", "--shape", self.shape, "--family",
                                   self.family, *chosen], check=True, capture_output=True,
                                  text=True).stdout
            steps = re.findall(r"^ \* step +\d+ +(\w+), global (\d+) x (\d+) x (\d+),", text, re.M)
            if len(steps) != 1:
                sys.exit(f"{self.shape}: {len(steps)} kernels; a split is not compared")
            options = re.search(r"^ \* options +(.*)$", text, re.M)[1].split()
            default = re.search(r"^ \* config +(\S+)", text, re.M)[1]
            self.sources[config] = (text, tuple(map(int, steps[0][1:])), options, steps[0][0],
                                    default)
        return self.sources[config]

    def arguments(self, numpy):
        """By the names in the kernel's list, so that a list of another order is no matter."""
        s = self.sizes
        heads = {"q": s["hq"], "k": s["hkv"], "v": s["hkv"], "o": s["hq"]}
        rows = {"q": s["nq"], "k": s["nk"], "v": s["nk"], "o": s["nq"]}
        noise = numpy.random.default_rng(1)
        values = {"q_heads": s["hq"], "out_heads": s["hq"], "group": s["hq"] // s["hkv"],
                  "query_factor": s["d"] ** -0.5 * numpy.log2(numpy.e), "score_power": 1.0,
                  "q_length": s["nq"], "kv_length": s["nk"], "diagonal": 0}
        for name, count in heads.items():
            shape = (s["b"], count, rows[name], s["d"])
            values[f"{name}_buffer"] = noise.uniform(-1, 1, shape).astype(numpy.float32)
            values |= {f"{name}_offset": 0, f"{name}_row": s["d"],
                       f"{name}_head": rows[name] * s["d"],
                       f"{name}_batch": count * rows[name] * s["d"]}
        text = self.source()[0]
        listed = re.search(r"#define SQA_FORWARD_ARGUMENTS (.*)", text)[1].split(",")
        types = {"int": numpy.int32, "long": numpy.int64, "float": numpy.float32}
        out = []
        for argument in listed:
            words = argument.split()
            value = values[words[-1]]
            out.append(value if words[-1].endswith("_buffer") else types[words[0]](value))
        return out, values

    def expected(self, numpy, values):
        q, k, v = (values[f"{name}_buffer"].astype(numpy.float64) for name in "qkv")
        group = values["group"]
        scores = q @ numpy.repeat(k, group, 1).swapaxes(2, 3) * self.sizes["d"] ** -0.5
        weights = numpy.exp(scores - scores.max(3, keepdims=True))
        out = weights @ numpy.repeat(v, group, 1) / weights.sum(3, keepdims=True)
        return out.astype(numpy.float32)


def cold_cache():
    os.environ["POCL_CACHE_DIR"] = tempfile.mkdtemp()
    os.environ["PYOPENCL_NO_CACHE"] = "1"


def tune_by_sqa(problem, budget):
    cold_cache()
    database = os.path.join(tempfile.mkdtemp(), "tuning.db")
    begin = time.monotonic()
    values = ",".join(f"{name}=" + "|".join(map(str, problem.space[name])) for name in problem.space)
    done = subprocess.run([problem.sqa, "tune", "--shape", problem.shape, "--family",
                           problem.family, "--set", values, "--budget", f"{budget:g}s", "--db",
                           database, "--json"], check=True, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True)
    row = json.loads(done.stdout)["rows"][0]
    return time.monotonic() - begin, row["trials"]["ok"], row["config"]


def tune_by_kernel_tuner(problem, budget, strategy, arguments, answer):
    from kernel_tuner import tune_kernel

    cold_cache()

    def config_of(values):
        return configuration({name: values[name] for name in problem.space})

    # A work-item a group: the grid is the global size.
    space = dict(problem.space) | {"block_size_x": [1]}
    _, _, options, kernel, _ = problem.source()
    begin = time.monotonic()
    results, _ = tune_kernel(
        kernel, lambda values: problem.source(config_of(values))[0],
        lambda values: problem.source(config_of(values))[1], arguments, space, lang="OpenCL",
        grid_div_x=[], grid_div_y=[], grid_div_z=[], compiler_options=options, answer=answer,
        atol=1e-4, strategy=strategy, strategy_options={"time_limit": budget}, quiet=True)
    timed = [result for result in results if isinstance(result["time"], float)]
    best = min(timed, key=lambda result: result["time"])
    return time.monotonic() - begin, len(timed), config_of(best)


def compare(problem, configs, rounds, arguments, numpy):
    """Least time of each in ms, all timed in turn."""
    import pyopencl

    context = pyopencl.create_some_context(interactive=False)
    queue = pyopencl.CommandQueue(context)
    flags = pyopencl.mem_flags.READ_WRITE | pyopencl.mem_flags.COPY_HOST_PTR
    passed = [pyopencl.Buffer(context, flags, hostbuf=value) if isinstance(value, numpy.ndarray)
              else value for value in arguments]
    kernels = {}
    for config in configs:
        text, size, options, name, _ = problem.source(config)
        kernels[config] = (getattr(pyopencl.Program(context, text).build(options), name), size)
    least = dict.fromkeys(configs, float("inf"))
    for _ in range(rounds * TIMES):
        for config, (kernel, size) in kernels.items():
            queue.finish()
            begin = time.monotonic()
            kernel(queue, size, (1, 1, 1), *passed)
            queue.finish()
            least[config] = min(least[config], 1e3 * (time.monotonic() - begin))
    return least


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sqa")
    parser.add_argument("sweep")
    parser.add_argument("--budget", type=float, default=60)
    parser.add_argument("--strategy", default="genetic_algorithm", help="of Kernel Tuner")
    parser.add_argument("--rounds", type=int, default=5)
    words = parser.parse_args()
    try:
        import kernel_tuner  # noqa: F401
        import numpy
        import pyopencl  # noqa: F401
    except ImportError as error:
        print(f"skipped: {error}")
        return 77
    problem = Problem(words.sqa, words.sweep)
    arguments, values = problem.arguments(numpy)
    answer = [None] * len(arguments)
    answer[[id(a) for a in arguments].index(id(values["o_buffer"]))] = \
        problem.expected(numpy, values)
    found = {
        "sqa tune": tune_by_sqa(problem, words.budget),
        f"Kernel Tuner, {words.strategy}": tune_by_kernel_tuner(
            problem, words.budget, words.strategy, arguments, answer),
    }
    default = problem.source()[4]
    found = {name: (seconds, count, config or default) for name, (seconds, count, config) in
             found.items()}
    configs = dict.fromkeys([default] + [config for _, _, config in found.values()])
    least = compare(problem, list(configs), words.rounds, arguments, numpy)
    print(f"{problem.shape}, {problem.family}; the default takes {least[default]:.3g} ms: "
          f"{default}")
    for name, (seconds, count, config) in found.items():
        print(f"{name}: {count} configurations in {seconds:.1f} s, {60 * count / seconds:.0f} a "
              f"minute; the best takes {least[config]:.3g} ms, {least[default] / least[config]:.3f} "
              f"of the default's speed: {config}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
