"""PyTorch beside the rows of `sqa bench`; see peer.h. Reads a line, answers with one:

    row PASS BATCH HQ HKV NQ NK D DTYPE CAUSAL   ->  ready, or: cannot WHY
    sample NUMBER                                ->  ms TIME, of one run of that row

After the first line, which says what answers, rows count from 0."""
import sys
import time

import torch
import torch.nn.functional as F

LEAST_SECONDS = 0.02  # of a sample
QUIET_SECONDS = 0.02  # until the threads of a sample no longer spin
DTYPES = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}


class Row:
    def __init__(self, passes, batch, q_heads, kv_heads, queries, keys, dim, dtype, causal):
        batch, q_heads, kv_heads = int(batch), int(q_heads), int(kv_heads)
        queries, keys, dim = int(queries), int(keys), int(dim)
        self.causal = causal == "1"
        if self.causal and queries != keys:
            raise ValueError("its causal mask begins at the first key")
        self.forward, self.backward = "forward" in passes, "backward" in passes
        heads = max(q_heads, kv_heads)
        self.repeated = heads // q_heads
        self.grouped = kv_heads < heads

        def make(h, n):
            return torch.rand(batch, h, n, dim, dtype=DTYPES[dtype], requires_grad=self.backward)

        self.inputs = [make(q_heads, queries), make(kv_heads, keys), make(kv_heads, keys)]
        if self.backward:
            self.dout = torch.rand(batch, heads, queries, dim, dtype=DTYPES[dtype])
        self.out = None if self.forward else self.attend()
        self.run()
        begin = time.perf_counter()
        self.run()
        self.times = 1 + int(LEAST_SECONDS / max(time.perf_counter() - begin, 1e-6))

    def attend(self):
        q, k, v = self.inputs
        if self.repeated > 1:
            q = q.repeat(1, self.repeated, 1, 1)
        return F.scaled_dot_product_attention(q, k, v, is_causal=self.causal,
                                              enable_gqa=self.grouped)

    def run(self):
        out = self.attend() if self.forward else self.out
        if self.backward:
            torch.autograd.grad(out, self.inputs, self.dout, retain_graph=not self.forward)

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
