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


class Layer(Attention):
    """Projections before and after it, of a width that is the model's; see sqa_cl/layer.h."""

    def __init__(self, shape, keys, make):
        batch, q_heads, kv_heads, queries, _, dim = shape
        super().__init__((0, q_heads, kv_heads, queries, queries, dim), keys, make)
        width, self.dim = int(keys["dmodel"]), dim
        columns = [q_heads * dim, kv_heads * dim, kv_heads * dim]
        self.splits = columns if "fused" in keys else None
        self.products = [sum(columns)] if self.splits else columns
        self.products = self.products + [width]
        widths = [width] * (len(self.products) - 1) + [self.heads * dim]
        self.inputs = [make(batch, queries, width)]
        self.inputs += [make(w, c, scale=w ** -0.5) for w, c in zip(widths, self.products)]
        self.biased = "biases" in keys
        if self.biased:
            self.inputs += [make(c) for c in self.products]

    def project(self, x, number):
        weight = self.inputs[1 + number]
        if not self.biased:
            return x @ weight
        bias = self.inputs[1 + len(self.products) + number]
        return torch.addmm(bias, x.reshape(-1, x.shape[-1]), weight).view(*x.shape[:-1], -1)

    def forward(self):
        x = self.inputs[0]
        if self.splits:
            parts = self.project(x, 0).split(self.splits, -1)
        else:
            parts = [self.project(x, i) for i in range(3)]
        q, k, v = (p.unflatten(-1, (-1, self.dim)).transpose(1, 2) for p in parts)
        return self.project(self.attend(q, k, v).transpose(1, 2).flatten(2),
                            len(self.products) - 1)


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

        kind = Layer if "dmodel" in keys else Attention
        self.of = kind([int(number) for number in numbers], keys, make)
        self.out = self.of.forward()
        self.dout = torch.rand_like(self.out) if self.backward else None
        if self.forward:
            self.out = None
        self.run()
        begin = time.perf_counter()
        self.run()
        self.times = 1 + int(LEAST_SECONDS / max(time.perf_counter() - begin, 1e-6))

    def run(self):
        out = self.of.forward() if self.forward else self.out
        if self.backward:
            torch.autograd.grad(out, self.of.inputs, self.dout, retain_graph=not self.forward)

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


main()
