"""A small problem of attention for one work-group, and what comes out of it in double precision.
Two batches, two query heads that share a key/value head, causal; the work-group is the last of the
second batch and head, with rows that its tile has no use for."""
import math

import numpy as np

from memory import Memory

BASE = 0x100000000
BATCHES, Q_HEADS, KV_HEADS = 2, 2, 1
GROUP = Q_HEADS // KV_HEADS
GAP = 64  # bytes between tensors that belong to none

# Kernel: whose rows a work-group has, by which parameter, its head, what it writes.
KERNELS = {
    "sqa_tiled_forward": ("q", "BM", Q_HEADS, ("o",)),
    "sqa_mma_forward": ("q", "BM", Q_HEADS, ("o",)),
    "sqa_tiled_backward_queries": ("q", "BM", Q_HEADS, ("dq",)),
    "sqa_tiled_backward_keys": ("k", "BN", KV_HEADS, ("dk", "dv")),
}


def to_bfloat(x):
    bits = np.ascontiguousarray(x, np.float32).view(np.uint32).astype(np.uint64)
    return ((bits + 0x7fff + (bits >> np.uint64(16) & np.uint64(1))) >> np.uint64(16)) \
        .astype(np.uint16)


# By SQA_DTYPE: to storage, from storage, rounding unit.
STORAGE = {
    0: (lambda x: x.astype(np.float32), lambda x: x, 2.0 ** -24),
    1: (lambda x: x.astype(np.float16), lambda x: x, 2.0 ** -11),
    2: (to_bfloat, lambda x: (x.astype(np.uint32) << np.uint32(16)).view(np.float32), 2.0 ** -8),
}


class Tensor:
    """[batch][head][row][column] with room between rows, heads and batches. `rows`: of two
    dimensions less, LSE and delta, which are tight."""

    def __init__(self, shape, storage, spare, offset):
        self.store, self.restore, self.unit = STORAGE[storage]
        self.item = 4 if storage == 0 else 2
        self.shape, self.offset = shape, offset
        self.strides = (shape[2] * shape[1], shape[2], 1)
        if len(shape) == 4:
            row = shape[3] + spare
            head = row * shape[2] + 2 * spare
            self.strides = (head * shape[1] + spare, head, row, 1)
        self.at = np.add.outer(np.arange(shape[0]) * self.strides[0],
                               np.arange(shape[1]) * self.strides[1])
        for n, stride in zip(shape[2:], self.strides[2:]):
            self.at = np.add.outer(self.at, np.arange(n) * stride)
        self.at = self.at + offset
        self.bytes = (int(self.at.max()) + 1) * self.item
        self.place = 0


class Problem:
    def __init__(self, source, kernel, spare):
        d = source.defines
        self.rows, tile, self.head_count, self.written = KERNELS[kernel]
        self.tile = d[tile]
        q_length = d["BM"] + d["BM"] // 2 + 1
        kv_length = max(q_length, d["BN"] + d["BN"] // 2) + 5
        self.lengths = {"q": q_length, "k": kv_length}
        self.source, self.storage, self.spare = source, d["SQA_DTYPE"], spare
        self.dims = {"k": d["SQA_HEAD_DIM"], "v": d["SQA_VALUE_DIM"]}
        self.scale = float(np.float32(1 / math.sqrt(self.dims["k"])))
        self.groups = (-(-self.lengths[self.rows] // self.tile), self.head_count, BATCHES)
        self.group = tuple(n - 1 for n in self.groups)
        self.tensors, self.values = {}, {}
        self.make_inputs()
        self.reference()
        self.lay_out()

    def shape_of(self, name):
        heads, rows = (Q_HEADS, "q") if name in ("q", "o", "dout", "dq") else (KV_HEADS, "k")
        width = self.dims["k" if name in ("q", "k", "dq", "dk") else "v"]
        return (BATCHES, heads, self.lengths[rows], width)

    def make_inputs(self):
        random = np.random.default_rng(1)
        store, restore, _ = STORAGE[self.storage]
        for name in ("q", "k", "v", "dout"):
            x = random.standard_normal(self.shape_of(name)).astype(np.float32)
            self.values[name] = restore(store(x)).astype(np.float64)

    def reference(self):
        v = self.values
        k, w = (np.repeat(v[name], GROUP, axis=1) for name in ("k", "v"))
        scores = v["q"] @ k.swapaxes(2, 3) * self.scale
        rows, keys = np.indices(scores.shape[2:])
        seen = keys <= rows + self.lengths["k"] - self.lengths["q"]
        scores = np.where(seen, scores, -np.inf)
        most = scores.max(axis=3, keepdims=True)
        v["lse"] = np.log(np.exp(scores - most).sum(axis=3)) + most[..., 0]
        v["lse"] = v["lse"].astype(np.float32).astype(np.float64)
        weights = np.exp(scores - v["lse"][..., None])
        v["o"] = weights @ w
        v["delta"] = (v["dout"] * v["o"]).sum(axis=3)
        flow = weights * (v["dout"] @ w.swapaxes(2, 3) - v["delta"][..., None]) * self.scale
        shared = (BATCHES, KV_HEADS, GROUP) + flow.shape[2:]
        v["dq"] = flow @ k
        v["dk"] = (flow.swapaxes(2, 3) @ v["q"]).reshape(shared[:3] + v["k"].shape[2:]).sum(axis=2)
        v["dv"] = (weights.swapaxes(2, 3) @ v["dout"]) \
            .reshape(shared[:3] + v["v"].shape[2:]).sum(axis=2)

    def lay_out(self):
        """Inputs may be read; of what is written, the work-group's rows may be."""
        names = [name[:-len("_buffer")] for name, kind in self.source.arguments
                 if kind == "pointer"]
        size = GAP
        for name in names:
            tight = name in ("lse", "delta")
            shape = self.values[name].shape
            self.tensors[name] = Tensor(shape, 0 if tight else self.storage, self.spare,
                                        0 if tight else 2 * self.spare)
            self.tensors[name].place = size
            size += (self.tensors[name].bytes + 2 * GAP - 1) // GAP * GAP
        self.memory = Memory(size, BASE, allowed=False)
        for name in names:
            tensor, written = self.tensors[name], name in ("o", "dq", "dk", "dv")
            at = tensor.place + tensor.at * tensor.item
            if not written:
                bits = np.ascontiguousarray(tensor.store(self.values[name])).view(np.uint8)
                pieces = at[..., None] + np.arange(tensor.item)
                self.memory.bytes[pieces] = bits.reshape(pieces.shape)
                self.memory.may_read[pieces] = True
            elif name in self.written:
                self.memory.may_write[self.own(at)[..., None] + np.arange(tensor.item)] = True

    def own(self, x):
        """The work-group's part."""
        first = self.group[0] * self.tile
        return x[self.group[2], self.group[1], first:first + self.tile]

    def arguments(self):
        exponent = math.frexp(self.scale * math.log2(math.e))[1] - 1
        values = {
            "batches": BATCHES, "q_heads": Q_HEADS, "out_heads": Q_HEADS, "group": GROUP,
            "query_factor": self.scale * math.log2(math.e) / 2.0 ** exponent,
            "score_power": 2.0 ** exponent, "flow_factor": 1.0, "sum_factor": self.scale,
            "q_length": self.lengths["q"], "kv_length": self.lengths["k"],
            "diagonal": self.lengths["k"] - self.lengths["q"],
        }
        for name, tensor in self.tensors.items():
            values[name + "_buffer"] = BASE + tensor.place
            values[name + "_offset"] = tensor.offset
            for stride, which in zip(tensor.strides, ("batch", "head", "row")):
                values[f"{name}_{which}"] = stride
        return self.source.pack(values)

    def error(self):
        """Of the work-group's results: the largest, as a part of the largest number, and what
        rounding excuses."""
        worst, excused = 0.0, 0.0
        for name in self.written:
            tensor = self.tensors[name]
            at = self.own(tensor.place + tensor.at * tensor.item)
            bits = self.memory.bytes[at[..., None] + np.arange(tensor.item)]
            kind = {0: np.float32, 1: np.float16, 2: np.uint16}[self.storage]
            found = tensor.restore(bits.view(kind)[..., 0]).astype(np.float64)
            expected = self.own(self.values[name])
            error = np.abs(found - expected).max() / np.abs(expected).max()
            worst = max(worst, math.inf if math.isnan(error) else error)
            excused = 64 * tensor.unit if tensor.unit == 2.0 ** -24 else 2 * tensor.unit
        return worst, excused
