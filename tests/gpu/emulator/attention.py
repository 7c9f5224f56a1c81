"""Attention of two batches, two query heads that share a key/value head, causal; the work-group is
the last of the second batch and head, with rows that its tile has no use for."""
import math

import numpy as np

import problem

BATCHES, Q_HEADS, KV_HEADS = 2, 2, 1
GROUP = Q_HEADS // KV_HEADS


class Problem(problem.Problem):
    # Whose rows a work-group has, by which parameter, of how many matrices, what it writes.
    KERNELS = {
        "sqa_tiled_forward": ("q", "BM", Q_HEADS, ("o",)),
        "sqa_mma_forward": ("q", "BM", Q_HEADS, ("o",)),
        "sqa_stream_forward": ("q", "ROWS", KV_HEADS, ("o",)),
        "sqa_tiled_backward_queries": ("q", "BM", Q_HEADS, ("dq",)),
        "sqa_tiled_backward_keys": ("k", "BN", KV_HEADS, ("dk", "dv")),
    }
    STRIDES = ("batch", "head", "row")
    TIGHT = ("lse", "delta")

    def __init__(self, source, kernel, spare):
        d = source.defines
        self.rows, tile, head_count, written = self.KERNELS[kernel]
        self.tile = d[tile]
        self.streams = kernel == "sqa_stream_forward"
        if self.streams:  # few queries, and keys of one split, which writes the output itself
            q_length, kv_length = self.tile // GROUP + 1, d["SPLIT_KEYS"] // 2 + 5
        else:
            q_length = d["BM"] + d["BM"] // 2 + 1
            kv_length = max(q_length, d["BN"] + d["BN"] // 2) + 5
        self.lengths = {"q": q_length, "k": kv_length}
        self.source, self.storage, self.spare = source, d["SQA_DTYPE"], spare
        self.dims = {"k": d["SQA_HEAD_DIM"], "v": d["SQA_VALUE_DIM"]}
        self.scale = float(np.float32(1 / math.sqrt(self.dims["k"])))
        rows = self.lengths[self.rows] * (GROUP if self.streams else 1)
        self.groups = (-(-rows // self.tile), head_count, BATCHES)
        self.group = tuple(n - 1 for n in self.groups)
        self.values = {}
        self.make_inputs()
        self.reference()
        self.lay_out(("o", "dq", "dk", "dv"), written)

    def shape_of(self, name):
        heads, rows = (Q_HEADS, "q") if name in ("q", "o", "dout", "dq") else (KV_HEADS, "k")
        width = self.dims["k" if name in ("q", "k", "dq", "dk") else "v"]
        return (BATCHES, heads, self.lengths[rows], width)

    def make_inputs(self):
        random = np.random.default_rng(1)
        for name in ("q", "k", "v", "dout"):
            x = random.standard_normal(self.shape_of(name)).astype(np.float32)
            self.values[name] = problem.stored(x, self.storage)

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

    def own(self, x):
        first = self.group[0] * self.tile
        if self.streams:  # heads of a group in turn
            rows = np.arange(first, min(first + self.tile, GROUP * self.lengths["q"]))
            return x[self.group[2], self.group[1] * GROUP + rows % GROUP, rows // GROUP]
        return x[self.group[2], self.group[1], first:first + self.tile]

    def numbers(self):
        exponent = math.frexp(self.scale * math.log2(math.e))[1] - 1
        return {
            "batches": BATCHES, "q_heads": Q_HEADS, "out_heads": Q_HEADS, "group": GROUP,
            "query_factor": self.scale * math.log2(math.e) / 2.0 ** exponent,
            "score_power": 2.0 ** exponent, "flow_factor": 1.0, "sum_factor": self.scale,
            "q_length": self.lengths["q"], "kv_length": self.lengths["k"],
            "diagonal": self.lengths["k"] - self.lengths["q"],
            "workspace": problem.BASE, "split_batches": BATCHES, "splits": 1,
            "split_keys": self.source.defines.get("SPLIT_KEYS", 0),
        }
