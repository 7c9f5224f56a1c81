"""Two matrix products, with what the epilogue does; the work-group is the last of the second, with
rows, columns and products that its tiles have no use for."""
import numpy as np

import problem

BATCHES = 2
ALPHA = 0.5
BETA = -1.5
ACTIVATIONS = {None: lambda x: x, "silu": lambda x: x / (1 + np.exp(-x))}


class Problem(problem.Problem):
    KERNELS = {"sqa_tiled_matmul": (), "sqa_naive_matmul": ()}
    STRIDES = ("batch", "row")

    def __init__(self, source, kernel, spare):
        d = source.defines
        shape = source.shape
        self.tile = (d.get("BM", 1), d.get("BN", source.kernels[kernel][0]))  # or an element each
        m, n = (size + size // 2 + 3 for size in self.tile)
        k = 5 * d.get("DK", 8) // 2 + 1
        self.source, self.storage, self.spare = source, d["SQA_DTYPE"], spare
        self.sizes = {"m": m, "n": n, "k": k}
        self.groups = (-(-n // self.tile[1]), -(-m // self.tile[0]), BATCHES)
        self.group = tuple(count - 1 for count in self.groups)
        random = np.random.default_rng(1)

        def matrix(transposed, *size):
            size = size[::-1] if transposed else size
            x = random.standard_normal((BATCHES, *size)).astype(np.float32)
            x = problem.stored(x, self.storage)
            return x, x.swapaxes(1, 2) if transposed else x

        a, op_a = matrix("ta" in shape, m, k)
        b, op_b = matrix("tb" in shape, k, n)
        b2, op_b2 = matrix("tb" in shape, k, n)

        def some(*size):
            return problem.stored(random.standard_normal(size).astype(np.float32), self.storage)

        has = shape.keys()
        before, residual, bias, bias2 = some(BATCHES, m, n), some(BATCHES, m, n), some(n), some(n)
        c = ALPHA * op_a @ op_b + ("beta" in has) * BETA * before + ("bias" in has) * bias
        c = ACTIVATIONS[shape.get("act")](c)
        if "gated" in has:
            c = c * (ALPHA * op_a @ op_b2 + ("bias" in has) * bias2)
        c = c + ("residual" in has) * residual
        self.values = {"a": a, "b": b, "b2": b2, "c": c, "residual": residual, "bias": bias,
                       "bias2": bias2}
        self.lay_out(("c",), ("c",), {"c": before} if "beta" in has else None)

    def own(self, x):
        row, column = (n * tile for n, tile in zip(self.group[1::-1], self.tile))
        return x[self.group[2], row:row + self.tile[0], column:column + self.tile[1]]

    def numbers(self):
        return {**self.sizes, "alpha": ALPHA, "beta": BETA}
