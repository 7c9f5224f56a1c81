"""Attention of two batches, two query heads that share a key/value head; the work-group is the last
of the second batch and head, with rows that its tile has no use for. Keys may be split among several
work-groups, whose parts another kernel joins."""
import math

import numpy as np

import problem
from source import WARP

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
        "sqa_split_combine": ("q", "COMBINE_COLUMNS", Q_HEADS, ("o",)),
        "sqa_naive_forward": ("q", None, Q_HEADS, ("o",)),
        "sqa_naive_backward_q": ("q", None, Q_HEADS, ("dq",)),
        "sqa_naive_backward_kv": ("k", None, KV_HEADS, ("dk", "dv")),
    }
    SPLITS = {"sqa_stream_forward": (1, 3), "sqa_split_combine": (3,)}
    STRIDES = ("batch", "head", "row")
    TIGHT = ("lse", "delta", "workspace")

    def __init__(self, source, kernel, spare, splits=1):
        d = source.defines
        self.rows, tile, head_count, written = self.KERNELS[kernel]
        self.tile, self.splits = d[tile] if tile else WARP, splits
        self.streams = kernel == "sqa_stream_forward"
        self.combines = kernel == "sqa_split_combine"
        if self.streams or self.combines:  # few queries; one split writes the output itself
            q_length = d["ROWS"] // GROUP + 1
            kv_length = (splits - 1) * d["SPLIT_KEYS"] + d["SPLIT_KEYS"] // 2 + 5
        elif not tile:  # a work-item has a row
            q_length, kv_length = 2 * WARP, 3 * WARP
        else:
            q_length = d["BM"] + d["BM"] // 2 + 1
            kv_length = max(q_length, d["BN"] + d["BN"] // 2) + 5
        self.lengths = {"q": q_length, "k": kv_length}
        self.source, self.storage, self.spare = source, d["SQA_DTYPE"], spare
        self.dims = {"k": d["SQA_HEAD_DIM"], "v": d["SQA_VALUE_DIM"]}
        self.scale = float(np.float32(1 / math.sqrt(self.dims["k"])))
        across = self.lengths[self.rows] * (GROUP if self.streams else 1)
        if self.combines:  # columns of a row to a work-item
            across, self.tile = across * self.dims["v"], WARP * self.tile
        self.groups = (-(-across // self.tile), head_count,
                       BATCHES * (splits if self.streams else 1))
        self.group = tuple(n - 1 for n in self.groups)
        self.values = {}
        self.make_inputs()
        self.reference()
        if splits > 1:
            self.make_parts()
        if splits > 1 and self.streams:
            written = ("workspace",)
        self.lay_out(("o", "dq", "dk", "dv") + written, written)

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
        if "causal" in self.source.shape:
            seen = keys <= rows + self.lengths["k"] - self.lengths["q"]
            scores = np.where(seen, scores, -np.inf)
        self.scores = scores
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

    def exponent(self):
        """Of the power of two that scores are counted in."""
        return math.frexp(self.scale * math.log2(math.e))[1] - 1

    def make_parts(self):
        """What splits leave to be joined: sums of weighted values; maxima and sums of weights."""
        power, split_keys = 2.0 ** self.exponent(), self.source.defines["SPLIT_KEYS"]
        headroom = (self.lengths["k"] - 1).bit_length() + 1
        w = np.repeat(self.values["v"], GROUP, axis=1)
        sums, totals = [], []
        for first in range(0, self.lengths["k"], split_keys):
            scores = self.scores[..., first:first + split_keys] * math.log2(math.e) / power
            most = scores.max(axis=3, keepdims=True)
            weights = np.exp2((scores - most) * power - headroom)
            sums.append(weights @ w[:, :, first:first + split_keys])
            totals.append(np.stack((most[..., 0], weights.sum(axis=3)), axis=3))
        self.parts = [np.stack(part) for part in (sums, totals)]
        self.values["workspace"] = np.concatenate([part.ravel() for part in self.parts])

    def own_parts(self, x):
        """Of the workspace, where that is what the work-group writes."""
        ends = np.cumsum([part.size for part in self.parts])
        parts = (x[end - part.size:end].reshape(part.shape)
                 for part, end in zip(self.parts, ends))
        split, batch = self.group[2] % self.splits, self.group[2] // self.splits
        return np.concatenate([self.own_rows(part[split], batch).ravel() for part in parts])

    def own_rows(self, x, batch):
        """Of a kernel that has the heads of a group in turn."""
        first = self.group[0] * self.tile
        rows = np.arange(first, min(first + self.tile, GROUP * self.lengths["q"]))
        return x[batch, self.group[1] * GROUP + rows % GROUP, rows // GROUP]

    def own(self, x):
        first, end = (n * self.tile for n in (self.group[0], self.group[0] + 1))
        if x.ndim == 1:
            return self.own_parts(x)
        if self.streams:
            return self.own_rows(x, self.group[2])
        if self.combines:
            return x[self.group[2], self.group[1]].reshape(-1)[first:end]
        return x[self.group[2], self.group[1], first:end]

    def numbers(self):
        exponent = self.exponent()
        return {
            "batches": BATCHES, "q_heads": Q_HEADS, "out_heads": Q_HEADS, "group": GROUP,
            "query_factor": self.scale * math.log2(math.e) / 2.0 ** exponent,
            "score_power": 2.0 ** exponent, "flow_factor": 1.0, "sum_factor": self.scale,
            "q_length": self.lengths["q"], "kv_length": self.lengths["k"],
            "diagonal": self.lengths["k"] - self.lengths["q"],
            "workspace": problem.BASE, "split_batches": BATCHES, "splits": self.splits,
            "split_keys": self.source.defines.get("SPLIT_KEYS", 0),
        }
