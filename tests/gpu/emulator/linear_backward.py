"""Gradients of the linear attention of linear.py, with a state before the first token and the
gradient of that behind the last. A work-group is the last of the second batch; in the workspace is
what the kernels before have left for it."""
import numpy as np

import linear
import problem
from linear import BATCHES, KV_HEADS, Q_HEADS

GROUP = Q_HEADS // KV_HEADS


class Problem(linear.Problem):
    # What they write.
    KERNELS = {"sqa_tiled_linear_states": ("workspace",),
               "sqa_tiled_linear_gradients": ("workspace", "dstate_in"),
               "sqa_tiled_linear_values": ("dv",),
               "sqa_tiled_linear_chunks": ("dq", "dk", "ddecay", "dbeta")}
    TIGHT = ("decay", "beta", "state_in", "dstate", "ddecay", "dbeta", "dstate_in", "workspace")

    def __init__(self, source, kernel, spare):
        self.make_inputs(source, spare)
        d, v = source.defines, self.values
        random = np.random.default_rng(2)
        self.kernel, self.chunk = kernel, d["CHUNK"]
        self.chunks = -(-self.tokens // self.chunk)
        self.rows = -(-self.dim // d["VEC"]) * d["VEC"]
        self.slices = -(-self.value_dim // self.columns)
        across = {"sqa_tiled_linear_chunks": self.chunks,
                  "sqa_tiled_linear_values": self.chunks * self.slices}.get(kernel, self.slices)
        self.groups = (across, KV_HEADS, BATCHES)
        self.group = tuple(count - 1 for count in self.groups)
        for name in ("state_in", "dstate"):
            shape = (BATCHES, KV_HEADS, self.dim, self.value_dim)
            v[name] = problem.stored(random.standard_normal(shape), 0)
        dout = random.standard_normal((BATCHES, Q_HEADS, self.tokens, self.value_dim))
        v["dout"] = problem.stored(dout.astype(np.float32), self.storage)
        self.gradients()
        v["workspace"] = self.workspace()
        there = {"ddecay": self.decay, "dbeta": self.delta}
        written = [name for name in self.KERNELS[kernel] if there.get(name, True)]
        if self.delta and kernel == "sqa_tiled_linear_gradients":
            written.append("dv")
        outputs = ["dq", "dk", "dv", "ddecay", "dbeta", "dstate_in"]
        if kernel == "sqa_tiled_linear_states":
            outputs.append("workspace")
        self.lay_out(outputs, written)

    def gradients(self):
        """By the recurrence, as include/sqa_cl/linear.h has it; and what is between chunks."""
        v, tokens = self.values, self.tokens
        states, known = [v["state_in"]], []
        self.rests = np.zeros(v["v"].shape)
        self.dvalues = np.zeros(v["v"].shape)
        for name in ("q", "k", "v", "beta", "decay"):
            v["d" + name] = np.zeros(v[name].shape)
        beta = v["beta"] if self.delta else np.ones(v["beta"].shape)
        for t in range(tokens):
            known.append(states[-1] * self.left(t))
            taken = np.einsum("bhd,bhde->bhe", v["k"][:, :, t], known[t]) if self.delta else 0.0
            self.rests[:, :, t] = v["v"][:, :, t] - taken
            added = beta[:, :, t, None] * self.rests[:, :, t]
            states.append(known[t] + v["k"][:, :, t, :, None] * added[..., None, :])
        behind, gradient = [None] * (tokens + 1), v["dstate"].copy()
        for t in range(tokens - 1, -1, -1):
            behind[t + 1] = gradient.copy()
            key, dout = v["k"][:, :, t], self.scale * v["dout"][:, :, t]
            v["dq"][:, :, t] = np.einsum("bhde,bhe->bhd", np.repeat(states[t + 1], GROUP, 1), dout)
            brought = v["q"][:, :, t, :, None] * dout[..., None, :]
            gradient += brought.reshape(BATCHES, KV_HEADS, GROUP, *brought.shape[2:]).sum(axis=2)
            dvalue = np.einsum("bhde,bhd->bhe", gradient, key)
            self.dvalues[:, :, t] = dvalue
            v["dbeta"][:, :, t] = (dvalue * self.rests[:, :, t]).sum(axis=2)
            dvalue = beta[:, :, t, None] * dvalue
            v["dv"][:, :, t] = dvalue
            v["dk"][:, :, t] = np.einsum("bhde,bhe->bhd", gradient,
                                         beta[:, :, t, None] * self.rests[:, :, t])
            if self.delta:
                v["dk"][:, :, t] -= np.einsum("bhde,bhe->bhd", known[t], dvalue)
                gradient -= key[..., None] * dvalue[..., None, :]
            of_channels = (known[t] * gradient).sum(axis=3)
            v["ddecay"][:, :, t] = of_channels if v["decay"].ndim == 4 else of_channels.sum(axis=2)
            gradient *= self.left(t)
        v["dstate_in"] = gradient
        firsts = range(0, tokens, self.chunk)
        self.between = [states[first] for first in firsts] + \
            [behind[min(first + self.chunk, tokens)] for first in firsts]

    def left(self, token):
        if not self.decay:
            return 1.0
        log = self.values["decay"][:, :, token]
        return np.exp(log.reshape(*log.shape[:2], -1, 1))

    def workspace(self):
        """As cl/linear/tiled_backward_shape.cl says."""
        pitch = self.slices * self.columns
        parts = []
        for state in self.between:
            rows = np.zeros((BATCHES, KV_HEADS, pitch, self.rows))
            rows[:, :, :self.value_dim, :self.dim] = state.swapaxes(2, 3)
            parts.append(rows.reshape(BATCHES * KV_HEADS, -1))
        for values in (self.rests, self.dvalues) if self.delta else ():
            rows = np.zeros((BATCHES, KV_HEADS, self.tokens, pitch))
            rows[..., :self.value_dim] = values
            parts.append(rows.reshape(BATCHES * KV_HEADS, -1))
        floats = np.concatenate(parts, axis=1)
        return np.pad(floats, ((0, 0), (0, -floats.shape[1] % 4)))

    def own_floats(self):
        """What a slice writes of the workspace: states, or gradients of them; then, of the delta
        rule, rows of tokens."""
        pitch, first = self.slices * self.columns, self.group[0] * self.columns
        size, gradients = self.rows * pitch, int(self.kernel == "sqa_tiled_linear_gradients")
        states = np.arange(self.chunks)[:, None] + gradients * self.chunks
        at = [states * size + self.rows * first + np.arange(self.rows * self.columns)]
        if self.delta:
            tokens = np.arange(self.tokens)[:, None] + gradients * self.tokens
            at.append(2 * self.chunks * size + tokens * pitch + first + np.arange(self.columns))
        return np.concatenate([part.ravel() for part in at])

    def own(self, x):
        batch = self.group[2]
        if x.ndim == 2:
            return x[batch * KV_HEADS + self.group[1], self.own_floats()]
        chunk, part = self.group[0], self.group[0]
        if self.kernel == "sqa_tiled_linear_values":
            chunk, part = divmod(self.group[0], self.slices)
        if self.kernel in ("sqa_tiled_linear_values", "sqa_tiled_linear_chunks"):
            x = x[:, :, chunk * self.chunk:(chunk + 1) * self.chunk]
        if self.kernel != "sqa_tiled_linear_chunks":
            x = x[..., part * self.columns:(part + 1) * self.columns]
        return x[batch]

    def numbers(self):
        return super().numbers() | {"head_floats": self.values["workspace"].shape[1]}
