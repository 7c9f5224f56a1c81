"""What is computed row by row, or element by element: norms, rotary position embedding, activations
and their gradients, two results joined, what a row's output and its gradient have in common, tokens
put into a cache, means of blocks. Of two batches and two heads; the work-group is the last of the last
row or rows that its kernel counts, with work-items that have nothing to do where the kernel knows
such."""
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
        "sqa_naive_norm_rows": ("norm_rows", ("dx", "workspace")),
        "sqa_naive_norm_parts": ("norm_parts", ("workspace",)),
        "sqa_norm_sums": ("norm_sums", ("dweight",)),
        "sqa_naive_rope": ("rope", ("y",)),
        "sqa_merge_parts": ("merge", ("o", "lse")),
        "sqa_activation": ("activation", ("y", "da", "db")),
        "sqa_kv_append": ("kv_append", ("v_cache",)),
        "sqa_pool_queries": ("pool_queries", ("workspace",)),
        "sqa_pool_keys": ("pool_keys", ("workspace",)),
    }
    TIGHT = ("lse", "a_lse", "b_lse", "delta", "workspace")
    COUNTS = ("positions", "table")

    def __init__(self, source, kernel, spare):
        what, written = self.KERNELS[kernel]
        d = source.defines
        self.source, self.storage, self.spare = source, d["SQA_DTYPE"], spare
        self.random = np.random.default_rng(1)
        self.items = source.kernels[kernel][0]
        self.STRIDES = ("batch", "head", "row")
        self.values, self.extra, self.before = {}, {}, {}
        getattr(self, what)(d)
        written = tuple(name for name in written if name in self.values)
        self.lay_out(written, written, self.before)

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

    def norm_backward(self, d):
        """Values, and what the workspace holds: means and scales of rows, then sums of parts."""
        self.rows = self.items + 5
        x, dy = (self.some(BATCHES, HEADS, self.rows, 300) for _ in range(2))
        layer, weighs = self.source.shape.get("kind") == "layer", "weight" in self.source.shape
        mean, scale = row_statistics(x, layer)
        normal, weight = (x - mean) * scale, self.some(300)
        flow = dy * weight if weighs else dy
        dx = scale * (flow - flow.mean(axis=3, keepdims=True) * layer -
                      normal * (flow * normal).mean(axis=3, keepdims=True))
        self.values = {"x": x, "dy": dy, "dx": dx, "weight": weight,
                       "dweight": (dy * normal).sum(axis=(0, 1, 2))}
        self.extra = {"dim": 300, "eps": EPS, "part_rows": 0}
        if weighs:
            part_rows = -(-dy[..., 0].size // d["PARTS"])
            products = (dy * normal).reshape(-1, 300)
            products = np.pad(products, ((0, part_rows * d["PARTS"] - len(products)), (0, 0)))
            self.sums = products.reshape(d["PARTS"], part_rows, 300).sum(axis=1)
            self.facts = np.concatenate((mean * np.ones_like(scale), scale), axis=3)
            self.values["workspace"] = np.concatenate((self.facts.ravel(), self.sums.ravel()))
            self.extra |= {"part_rows": part_rows, "sums_at": self.facts.size}

    def norm_rows(self, d):
        self.norm_backward(d)
        self.has_rows(self.rows, HEADS, BATCHES)
        rows = self.own
        self.own = lambda x: rows(x if x.ndim > 1 else
                                  x[:self.facts.size].reshape(self.facts.shape))

    def norm_parts(self, d):
        """Of the last part that has rows, the last columns."""
        self.norm_backward(d)
        part = (self.facts[..., 0].size - 1) // self.extra["part_rows"]
        self.groups, first = (-(-300 // self.items), d["PARTS"], 1), 300 // self.items * self.items
        self.group = (self.groups[0] - 1, part, 0)
        self.own = lambda x: x[self.facts.size:].reshape(self.sums.shape)[part, first:]
        self.known = lambda x: x[:self.facts.size]
        self.before = {"workspace": np.concatenate((self.facts.ravel(), 0 * self.sums.ravel()))}

    def norm_sums(self, d):
        self.norm_backward(d)
        self.groups, first = (-(-300 // self.items), 1, 1), 300 // self.items * self.items
        self.group = (self.groups[0] - 1, 0, 0)
        self.own = lambda x: x[first:]

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

    def kv_append(self, d):
        """A token of each sequence, pages in no order."""
        pages, page_size, capacity, row = 6, 16, 40, 21
        dims = {"k": d["SQA_HEAD_DIM"], "v": d["SQA_VALUE_DIM"]}
        self.has_elements(sum(dims.values()), 1)
        table = np.array([[3, 0, 5], [2, 4, 1]])
        self.values = {"positions": np.full(BATCHES, row), "table": table}
        for name, dim in dims.items():
            new = self.some(BATCHES, HEADS, 1, dim)
            cache = np.zeros((pages, HEADS, page_size, dim))
            cache[table[:, row // page_size], :, row % page_size] = new[:, :, 0]
            self.values |= {name: new, name + "_cache": cache}
        first = self.group[0] * self.items - dims["k"]  # of V, which comes behind K
        page = table[-1, row // page_size]
        self.own = lambda x: x[page, -1, row % page_size, first:]
        self.extra = {"kv_heads": HEADS, "capacity": capacity, "page_size": page_size,
                      "pages": pages, "length": 1}

    def pool(self, name, of, block, columns):
        """Means of blocks of three, the last of which is not full."""
        rows = 2 * block + block // 4 + 1
        x = self.some(BATCHES, HEADS, rows, columns)
        self.rows, self.values = rows, {name: x}
        self.extra = {of + "_length": rows}
        self.groups = (1, 3, 0)
        return np.stack([x[:, :, k * block:(k + 1) * block].mean(axis=2) for k in range(3)], axis=2)

    def pool_queries(self, d):
        """Of two heads that are added up."""
        block = 32
        means = 0.125 * self.pool("q", "q", block, d["SQA_HEAD_DIM"]).sum(axis=1)
        self.groups, self.group = (1, 3, BATCHES), (0, 2, BATCHES - 1)
        self.values["workspace"] = means.ravel()
        self.own = lambda x: x.reshape(means.shape)[-1, -1]
        self.extra |= {"q_heads": HEADS, "query_block": block, "query_blocks": 3, "matrices": 1,
                       "matrix_heads": HEADS, "query_factor": 0.125}

    def pool_keys(self, d):
        """Columns of a block lie apart, and blocks that there are none of are zero."""
        block, padded, before = 32, 4, 64
        means = self.pool("k", "kv", block, d["SQA_HEAD_DIM"]).swapaxes(2, 3)
        means = np.pad(means, ((0, 0), (0, 0), (0, 0), (0, padded - 3)))
        self.groups, self.group = (1, 3, BATCHES * HEADS), (0, 2, BATCHES * HEADS - 1)
        self.values["workspace"] = np.concatenate((np.zeros(before), means.ravel()))
        self.own = lambda x: x[before:].reshape(means.shape)[-1, -1, :, 2:]
        self.extra |= {"kv_heads": HEADS, "key_block": block, "padded": padded, "keys_at": before}

    def own(self, x):
        raise NotImplementedError  # each kernel's

    def numbers(self):
        return {"batches": BATCHES, "heads": HEADS, "rows": self.rows, **self.extra}
