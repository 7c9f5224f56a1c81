"""What is computed row by row, or element by element: norms, rotary position embedding, activations
and their gradients, two results joined, and what a row's output and its gradient have in common. Of
two batches and two heads; the work-group is the last of the last row or rows that its kernel counts,
with work-items that have nothing to do where the kernel knows such."""
import math
import re

import numpy as np

import problem
from source import WARP

BATCHES, HEADS = 2, 2
EPS = 1e-5
FIRST_POSITION = 1000
BASE_OF_ANGLES = 10000.0


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def row_statistics(x, layer):
    mean = x.mean(axis=-1, keepdims=True) * layer
    return mean, 1 / np.sqrt(((x - mean) ** 2).mean(axis=-1, keepdims=True) + EPS)


class Problem(problem.Problem):
    # What makes its values, what it writes.
    KERNELS = {
        "sqa_naive_delta": ("delta", ("delta",)),
        "sqa_naive_norm": ("norm", ("y",)),
        "sqa_naive_norm_rows": ("norm_rows", ("dx",)),
        "sqa_naive_rope": ("rope", ("y",)),
        "sqa_merge_parts": ("merge", ("o", "lse")),
        "sqa_activation": ("activation", ("y", "da", "db")),
    }
    TIGHT = ("lse", "a_lse", "b_lse", "delta")

    def __init__(self, source, kernel, spare):
        what, written = self.KERNELS[kernel]
        d = source.defines
        self.source, self.storage, self.spare = source, d["SQA_DTYPE"], spare
        self.random = np.random.default_rng(1)
        self.items = source.kernels[kernel][0]
        self.STRIDES = ("batch", "head", "row")
        self.values, self.extra = {}, {}
        getattr(self, what)(d)
        written = tuple(name for name in written if name in self.values)
        self.lay_out(written, written)

    def some(self, *shape, storage=None):
        x = self.random.standard_normal(shape).astype(np.float32)
        return problem.stored(x, self.storage if storage is None else storage)

    def has_rows(self, rows, *groups):
        """A work-item has a row."""
        self.rows = rows
        self.groups = (-(-rows // self.items), *groups)
        self.group = tuple(n - 1 for n in self.groups)
        first = self.group[0] * self.items
        self.own = lambda x: x[-1, -1, first:first + self.items]

    def has_elements(self, across, rows):
        """A work-item has elements of a row of one of the matrices."""
        self.rows = rows
        self.groups = (-(-across // self.items), rows, BATCHES * HEADS)
        self.group = tuple(n - 1 for n in self.groups)
        self.own = lambda x: x[-1, -1, -1:]

    def delta(self, d):
        self.has_rows(2 * WARP, HEADS, BATCHES)
        o, dout = (self.some(BATCHES, HEADS, self.rows, d["SQA_VALUE_DIM"]) for _ in range(2))
        lse = self.some(BATCHES, HEADS, self.rows, storage=0)
        lse[..., -1] = -math.inf
        delta = np.where(np.isinf(lse), 0, (o * dout).sum(axis=3))
        self.values = {"o": o, "dout": dout, "lse": lse, "delta": delta}

    def norm(self, _):
        self.has_rows(self.items + 5, HEADS, BATCHES)
        x, weight, bias = self.some(BATCHES, HEADS, self.rows, 300), self.some(300), self.some(300)
        mean, scale = row_statistics(x, self.source.shape.get("kind") == "layer")
        has = self.source.shape
        y = (x - mean) * scale * (weight if "weight" in has else 1) + bias * ("bias" in has)
        self.values = {"x": x, "y": y, "weight": weight, "bias": bias}
        self.extra = {"dim": 300, "eps": EPS}

    def norm_rows(self, _):
        self.has_rows(self.items + 5, HEADS, BATCHES)
        x, dy = (self.some(BATCHES, HEADS, self.rows, 300) for _ in range(2))
        layer = self.source.shape.get("kind") == "layer"
        mean, scale = row_statistics(x, layer)
        normal = (x - mean) * scale
        dx = scale * (dy - dy.mean(axis=3, keepdims=True) * layer -
                      normal * (dy * normal).mean(axis=3, keepdims=True))
        self.values = {"x": x, "dy": dy, "dx": dx}
        self.extra = {"dim": 300, "eps": EPS, "part_rows": 0}

    def rope(self, d):
        dim, pairs = d["SQA_DIM"], d["SQA_ROTARY"] // 2
        self.has_elements(dim - pairs, 3)
        x = self.some(BATCHES, HEADS, self.rows, dim)
        angles = (FIRST_POSITION + np.arange(self.rows))[:, None] * \
            BASE_OF_ANGLES ** (-np.arange(pairs) / pairs)
        c, s = np.cos(angles), np.sin(angles)
        half = self.source.shape.get("pairs") == "half"
        first, second = (np.arange(pairs) + k * pairs if half else 2 * np.arange(pairs) + k
                         for k in (0, 1))
        y = x.copy()
        y[..., first] = x[..., first] * c - x[..., second] * s
        y[..., second] = x[..., first] * s + x[..., second] * c
        self.values = {"x": x, "y": y}
        self.extra = {"first_position": FIRST_POSITION}

    def merge(self, d):
        dim = int(self.source.shape["d"])
        self.has_elements(dim // d["COLUMNS"], 3)
        a, b = (self.some(BATCHES, HEADS, self.rows, dim) for _ in range(2))
        a_lse, b_lse = (self.some(BATCHES, HEADS, self.rows, storage=0) for _ in range(2))
        lse = np.logaddexp(a_lse, b_lse)
        of_a, of_b = (np.exp(x - lse)[..., None] for x in (a_lse, b_lse))
        self.values = {"a": a, "b": b, "a_lse": a_lse, "b_lse": b_lse, "o": of_a * a + of_b * b,
                       "lse": lse}
        self.extra = {"length": self.rows, "dim": dim}

    def activation(self, d):
        """Of SiLU; what has no heads, where a work-group has but a few elements of a row."""
        has, dim = self.source.shape, self.items * d["LANES"] * d["STEPS"] + 7
        if has.get("act") != "silu":
            raise ValueError("this activation is not known here")
        self.STRIDES = ("batch", "row")
        self.rows, self.groups, self.group = 3, (2, 3, BATCHES), (1, 2, BATCHES - 1)
        self.own = lambda x: x[-1, -1, dim - 7:]
        a, b, residual, dy = (self.some(BATCHES, self.rows, dim) for _ in range(4))
        gate = b if "gated" in has else 1
        y = a * sigmoid(a) * gate + residual * ("residual" in has)
        slope = sigmoid(a) * (1 + a * (1 - sigmoid(a)))
        self.values = {"a": a, "b": b, "residual": residual, "dy": dy, "y": y,
                       "da": slope * gate * dy, "db": a * sigmoid(a) * dy}
        names = {re.sub("_buffer$", "", name) for name, _ in self.source.arguments}
        self.values = {name: x for name, x in self.values.items() if name in names}
        self.extra = {"dim": dim}

    def own(self, x):
        raise NotImplementedError  # each kernel's

    def numbers(self):
        return {"batches": BATCHES, "heads": HEADS, "rows": self.rows, **self.extra}
