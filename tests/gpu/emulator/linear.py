"""Linear attention of two batches, two query heads that share a key/value head, causal, with the
decays and the delta rule that the program has; the work-group is the last of the second batch, at a
number of tokens that is no whole chunks."""
import numpy as np

import problem

BATCHES, Q_HEADS, KV_HEADS = 2, 2, 1
OF_TOKEN, OF_CHANNEL = 2, 3  # values of SQA_DECAY


class Problem(problem.Problem):
    KERNELS = {"sqa_tiled_linear": ()}
    STRIDES = ("batch", "head", "row")
    TIGHT = ("decay", "beta")

    def __init__(self, source, kernel, spare):
        del kernel
        self.make_inputs(source, spare)
        self.groups = (-(-self.value_dim // self.columns), KV_HEADS, BATCHES)
        self.group = tuple(count - 1 for count in self.groups)
        self.values["o"] = self.reference()
        self.lay_out(("o",), ("o",))

    def make_inputs(self, source, spare):
        d = source.defines
        self.source, self.storage, self.spare = source, d["SQA_DTYPE"], spare
        self.tokens = 2 * d["CHUNK"] + d["CHUNK"] // 2 + 1
        self.dim, self.columns = d["SQA_HEAD_DIM"], d["COLUMNS"]
        self.scale = float(np.float32(self.dim ** -0.5))
        self.decay = d.get("SQA_DECAY", 0)
        self.delta = "delta" in source.shape
        if self.decay not in (0, OF_TOKEN, OF_CHANNEL):
            raise ValueError("this decay is not known here")
        self.value_dim = d["SQA_VALUE_DIM"]
        random = np.random.default_rng(1)

        def vectors(heads, width, length=None):
            x = random.standard_normal((BATCHES, heads, self.tokens, width))
            if length:
                x *= length / np.linalg.norm(x, axis=3, keepdims=True)
            return problem.stored(x.astype(np.float32), self.storage)

        def numbers(least, most, *width):
            x = random.uniform(least, most, (BATCHES, KV_HEADS, self.tokens, *width))
            return problem.stored(x, 0)

        self.values = {"q": vectors(Q_HEADS, self.dim), "k": vectors(KV_HEADS, self.dim, 1.0),
                       "v": vectors(KV_HEADS, self.value_dim), "beta": numbers(0.0, 1.0),
                       "decay": numbers(-0.3, 0.0, *[self.dim] * (self.decay == OF_CHANNEL))}

    def reference(self):
        v = self.values
        state = np.zeros((BATCHES, KV_HEADS, self.dim, v["v"].shape[3]))
        out = np.zeros(v["q"].shape[:3] + v["v"].shape[3:])
        for t in range(self.tokens):
            if self.decay:
                log = v["decay"][:, :, t]
                state *= np.exp(log.reshape(*log.shape[:2], -1, 1))
            key, value = v["k"][:, :, t], v["v"][:, :, t]
            if self.delta:
                known = np.einsum("bhd,bhde->bhe", key, state)
                value = v["beta"][:, :, t, None] * (value - known)
            state += key[..., None] * value[..., None, :]
            seen = np.repeat(state, Q_HEADS // KV_HEADS, axis=1)
            out[:, :, t] = self.scale * np.einsum("bhd,bhde->bhe", v["q"][:, :, t], seen)
        return out

    def own(self, x):
        first = self.group[0] * self.columns
        return x[self.group[2], :, :, first:first + self.columns]

    def numbers(self):
        return {"q_heads": Q_HEADS, "kv_heads": KV_HEADS, "group": Q_HEADS // KV_HEADS,
                "scale": self.scale, "q_longest": self.tokens, "kv_longest": self.tokens}
