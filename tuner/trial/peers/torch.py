"""PyTorch beside the rows of `sqa bench`; see peer.h. Reads a line, answers with one:

    row PASS BATCH HQ HKV NQ NK D DTYPE KEYS     ->  ready, or: cannot WHY
    sample NUMBER                                ->  ms TIME, of one run of that row

KEYS are those of a shape (causal,dmodel=256), or "-". After the first line, which says what
answers, rows count from 0."""
import sys
import time

import torch
import torch.nn.functional as F

LEAST_SECONDS = 0.02  # of a sample
QUIET_SECONDS = 0.02  # until the threads of a sample no longer spin
DTYPES = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}


class Attention:
    """Q, K and V by heads."""

    def __init__(self, shape, keys, make):
        batch, q_heads, kv_heads, queries, length, dim = shape
        self.causal = "causal" in keys
        if self.causal and queries != length:
            raise ValueError("its causal mask begins at the first key")
        self.heads = max(q_heads, kv_heads)
        self.repeated = self.heads // q_heads
        self.grouped = kv_heads < self.heads
        self.inputs = [make(batch, q_heads, queries, dim), make(batch, kv_heads, length, dim),
                       make(batch, kv_heads, length, dim)]

    def attend(self, q, k, v):
        if self.repeated > 1:
            q = q.repeat(1, self.repeated, 1, 1)
        return F.scaled_dot_product_attention(q, k, v, is_causal=self.causal,
                                              enable_gqa=self.grouped)

    def forward(self):
        return self.attend(*self.inputs)


FEATURES = {"identity": lambda x: x, "elu1": lambda x: F.elu(x) + 1, "relu": F.relu}


class Linear(Attention):
    """Linear attention by chunks of tokens, without decays; see sqa_cl/linear.h. Compiled where
    there is what it takes, as it stands otherwise."""

    CHUNK = 64

    def __init__(self, shape, keys, make):
        super().__init__(shape, keys, make)
        dim, self.length = shape[5], shape[3]
        self.scale = float(keys.get("scale", dim ** -0.5))
        self.feature = FEATURES[keys.get("feature", "identity")]
        self.eps = float(keys.get("eps", 1e-6)) if "normalise" in keys else None
        torch._dynamo.config.suppress_errors = True
        self.compiled = torch.compile(self.compute, dynamic=False)

    def chunks_of(self, x):
        rest = -self.length % self.CHUNK
        return (F.pad(x, (0, 0, 0, rest)) if rest else x).unflatten(2, (-1, self.CHUNK))

    def by_chunks(self, q, k, v):
        q, k, v = self.chunks_of(q), self.chunks_of(k), self.chunks_of(v)
        added = k.transpose(-1, -2) @ v
        out = (q @ k.transpose(-1, -2)).tril() @ v + q @ (added.cumsum(2) - added)
        return out.flatten(2, 3)[:, :, :self.length]

    def compute(self, q, k, v):
        if self.repeated > 1:
            q = q.repeat(1, self.repeated, 1, 1)
        q, k = self.feature(q) * self.scale, self.feature(k)
        if self.eps is not None:
            v = F.pad(v, (0, 1), value=1.0)
        if self.grouped:
            k, v = (x.repeat_interleave(self.heads // x.shape[1], 1) for x in (k, v))
        out = self.by_chunks(q, k, v) if self.causal else q @ (k.transpose(-1, -2) @ v)
        return out if self.eps is None else out[..., :-1] / (out[..., -1:] + self.eps)

    def forward(self):
        return self.compiled(*self.inputs)


def rotation(keys, length, dim, dtype):
    """Which pairs of a head are turned, and by what cosines and sines; see sqa_cl/rope.h."""
    kind = keys.get("rope", "none")
    count = int(keys.get("ropedim", dim)) // 2
    if kind == "none" or not count:
        return None
    rows = torch.arange(length, dtype=torch.float64) + int(keys.get("ropeoffset", 0))
    powers = torch.arange(count, dtype=torch.float64) / -count
    angles = torch.outer(rows, float(keys.get("ropebase", 10000)) ** powers)
    return kind == "half", count, angles.cos().to(dtype), angles.sin().to(dtype)


def turned(x, by):
    """Rows turned by a rotation(); what it does not reach is copied."""
    half, count, cosines, sines = by
    part, rest = x[..., :2 * count], x[..., 2 * count:]
    sizes, axis = ((2, count), -2) if half else ((count, 2), -1)
    first, second = part.unflatten(-1, sizes).unbind(axis)
    pairs = torch.stack((first * cosines - second * sines, first * sines + second * cosines),
                        axis)
    return torch.cat((pairs.flatten(-2), rest), -1) if rest.shape[-1] else pairs.flatten(-2)


class Layer(Attention):
    """Projections before and after it, of a width that is the model's; see sqa_cl/layer.h. What
    it is made of goes by the names of `sqa run --op layer`."""

    def __init__(self, shape, keys, make):
        batch, q_heads, kv_heads, queries, _, dim = shape
        super().__init__((0, q_heads, kv_heads, queries, queries, dim), keys, make)
        width, self.dim = int(keys["dmodel"]), dim
        out = self.heads * dim
        columns = {"q": q_heads * dim, "k": kv_heads * dim, "v": kv_heads * dim}
        self.splits = list(columns.values()) if "fused" in keys else None
        if self.splits:
            columns = {"qkv": sum(self.splits)}
        if "gate" in keys:
            columns["g"] = out
        self.of = {"x": make(batch, queries, width)}
        for name, count in columns.items():
            self.add_product(make, name, width, count, "biases" in keys)
        self.add_product(make, "o", out, width, "biases" in keys)
        self.eps = float(keys.get("qkeps", 1e-5))
        if "qknorm" in keys:
            self.of.update(q_norm=make(dim), k_norm=make(dim))
        self.rotation = rotation(keys, queries, dim, self.of["x"].dtype)
        self.inputs = list(self.of.values())

    def add_product(self, make, name, width, columns, biased):
        self.of["w" + name] = make(width, columns, scale=width ** -0.5)
        if biased:
            self.of["b" + name] = make(columns)

    def project(self, x, name):
        weight, bias = self.of["w" + name], self.of.get("b" + name)
        if bias is None:
            return x @ weight
        return torch.addmm(bias, x.reshape(-1, x.shape[-1]), weight).view(*x.shape[:-1], -1)

    def heads_of(self, part, name):
        part = part.unflatten(-1, (-1, self.dim))
        if name + "_norm" in self.of:
            part = F.rms_norm(part, (self.dim,), self.of[name + "_norm"], self.eps)
        part = part.transpose(1, 2)
        return part if name == "v" or not self.rotation else turned(part, self.rotation)

    def layer(self, x):
        if self.splits:
            parts = self.project(x, "qkv").split(self.splits, -1)
        else:
            parts = [self.project(x, name) for name in "qkv"]
        q, k, v = (self.heads_of(part, name) for part, name in zip(parts, "qkv"))
        out = self.attend(q, k, v).transpose(1, 2).flatten(2)
        if "wg" in self.of:
            out = torch.sigmoid(self.project(x, "g")) * out
        return self.project(out, "o")

    def forward(self):
        return self.layer(self.of["x"])


ACTIVATIONS = {"none": lambda x: x, "silu": F.silu, "sigmoid": torch.sigmoid, "relu": F.relu,
               "logsigmoid": F.logsigmoid,
               "gelu_erf": F.gelu, "gelu_tanh": lambda x: F.gelu(x, approximate="tanh")}


class Block(Layer):
    """A layer and a perceptron; see sqa_cl/block.h, whose names these are."""

    def __init__(self, shape, keys, make):
        super().__init__(shape, keys, make)
        width, inner, biased = int(keys["dmodel"]), int(keys["mlp"]), "mlpbiases" in keys
        self.is_serial = keys.get("kind", "serial") == "serial"
        self.is_rms = keys.get("norm", "rms") == "rms"
        self.norm_eps = float(keys.get("norm_eps", 1e-5))
        self.activation = ACTIVATIONS[keys.get("act", "none")]
        for name in ["norm1", "norm2"] if self.is_serial else ["norm1"]:
            self.of[name] = make(width)
            if biased and not self.is_rms:
                self.of[name + "_bias"] = make(width)
        for name in ["up", "gate"] if "gated" in keys else ["up"]:
            self.add_product(make, name, width, inner, biased)
        self.add_product(make, "down", inner, width, biased)
        self.inputs = list(self.of.values())

    def norm(self, x, name):
        weight, width = self.of[name], x.shape[-1:]
        if self.is_rms:
            return F.rms_norm(x, width, weight, self.norm_eps)
        return F.layer_norm(x, width, weight, self.of.get(name + "_bias"), self.norm_eps)

    def perceptron(self, n):
        hidden = self.activation(self.project(n, "gate" if "wgate" in self.of else "up"))
        if "wgate" in self.of:
            hidden = hidden * self.project(n, "up")
        return self.project(hidden, "down")

    def forward(self):
        x = self.of["x"]
        n = self.norm(x, "norm1")
        if not self.is_serial:
            return x + self.perceptron(n) + self.layer(n)
        middle = x + self.layer(n)
        return middle + self.perceptron(self.norm(middle, "norm2"))


class Row:
    def __init__(self, passes, *numbers_and_words):
        *numbers, dtype, keys = numbers_and_words
        keys = dict((key + "=").split("=")[:2] for key in keys.split(","))
        parts = passes.split("+")
        self.backward = any(part.endswith("backward") for part in parts)
        self.forward = any(not part.endswith("backward") for part in parts)

        def make(*shape, scale=1.0):
            numbers = torch.rand(*shape, dtype=DTYPES[dtype]) * scale
            return numbers.requires_grad_(self.backward)

        kind = (Block if "mlp" in keys else Layer if "dmodel" in keys else
                Linear if parts[0].startswith("linear") else Attention)
        self.what = kind([int(number) for number in numbers], keys, make)
        self.out = self.what.forward()
        self.dout = torch.rand_like(self.out) if self.backward else None
        if self.forward:
            self.out = None
        self.run()
        begin = time.perf_counter()
        self.run()
        self.times = 1 + int(LEAST_SECONDS / max(time.perf_counter() - begin, 1e-6))

    def run(self):
        out = self.what.forward() if self.forward else self.out
        if self.backward:
            torch.autograd.grad(out, self.what.inputs, self.dout, retain_graph=not self.forward)

    def sample(self):
        begin = time.perf_counter()
        for _ in range(self.times):
            self.run()
        return (time.perf_counter() - begin) / self.times * 1e3


def main():
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads", flush=True)
    rows = []
    for line in sys.stdin:
        word, *rest = line.split()
        if word == "sample":
            answer = f"ms {rows[int(rest[0])].sample():.6f}"
            time.sleep(QUIET_SECONDS)
        else:
            try:
                rows.append(Row(*rest))
                answer = "ready"
            except (RuntimeError, ValueError) as error:
                answer = "cannot " + str(error).split("\n")[0]
        print(answer, flush=True)


if __name__ == "__main__":
    main()
