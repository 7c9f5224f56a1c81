"""sqa run, forward and backward, against PyTorch's autograd on the same tensors, for all head
layouts. Exit status 77 where PyTorch is not installed.
usage: torch_gradients.py SQA"""
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import torch
except ImportError:
    print("PyTorch is not installed")
    sys.exit(77)

LAYOUTS = [("mha", 4, 4), ("gqa", 4, 2), ("mqa", 4, 1), ("sqa", 2, 1), ("xsqa", 1, 1),
           ("rsqa", 2, 4), ("reverse", 1, 4)]
BATCH, QUERIES, KEYS, DIM, VALUE_DIM = 2, 37, 53, 24, 16


def attend(q, k, v, causal, softcap, bias, sinks):
    """The definition; output head h reads query head h mod Hq, key/value head h / group."""
    heads = max(q.shape[1], k.shape[1])
    q = q.repeat(1, heads // q.shape[1], 1, 1)
    k = k.repeat_interleave(heads // k.shape[1], 1)
    v = v.repeat_interleave(heads // v.shape[1], 1)
    s = q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5
    if softcap:
        s = softcap * torch.tanh(s / softcap)
    s = s + bias
    if causal:
        seen = torch.ones(s.shape[-2:], dtype=torch.bool).tril(s.shape[-1] - s.shape[-2])
        s = s.masked_fill(~seen, -torch.inf)
    rows = sinks.view(1, -1, 1, 1).expand(s.shape[0], -1, s.shape[2], 1)
    return torch.softmax(torch.cat([s, rows], -1), -1)[..., :-1] @ v


def check(sqa, folder, name, q_heads, kv_heads, causal, softcap):
    torch.manual_seed(1)
    heads = max(q_heads, kv_heads)
    shapes = {"q": (BATCH, q_heads, QUERIES, DIM), "k": (BATCH, kv_heads, KEYS, DIM),
              "v": (BATCH, kv_heads, KEYS, VALUE_DIM), "bias": (1, heads, QUERIES, KEYS),
              "sinks": (heads,), "dout": (BATCH, heads, QUERIES, VALUE_DIM)}
    tensors = {n: torch.rand(shape, dtype=torch.float64) * 2 - 1 for n, shape in shapes.items()}
    for n, tensor in tensors.items():
        tensors[n] = tensor.float().double().requires_grad_(n != "dout")
        np.save(f"{folder}/{n}.npy", tensors[n].detach().float().numpy())
    inputs = [tensors[n] for n in ("q", "k", "v", "bias", "sinks")]
    attend(*inputs[:3], causal, softcap, *inputs[3:]).backward(tensors["dout"])
    words = [sqa, "run", "--op", "backward"]
    for n in shapes:
        words += [f"--{n}", f"{folder}/{n}.npy"]
    gradients = [n for n in shapes if n != "dout"]
    for n in gradients:
        words += [f"--d{n}", f"{folder}/d{n}.npy"]
    words += ["--causal"] if causal else []
    words += ["--softcap", str(softcap)] if softcap else []
    subprocess.run(words, check=True, stderr=subprocess.DEVNULL)
    for n in gradients:
        got = torch.from_numpy(np.load(f"{folder}/d{n}.npy")).double()
        error = ((got - tensors[n].grad).norm() / tensors[n].grad.norm()).item()
        print(f"{name} causal={causal} softcap={softcap} d{n}: {error:.1e}")
        if got.shape != tensors[n].shape or not error < 1e-5:
            sys.exit(f"{name}: d{n} is off by {error:.3g}")


with tempfile.TemporaryDirectory() as work:
    for row in LAYOUTS:
        check(sys.argv[1], work, *row, causal=False, softcap=0.0)
    check(sys.argv[1], work, *LAYOUTS[1], causal=True, softcap=0.0)
    check(sys.argv[1], work, *LAYOUTS[5], causal=True, softcap=1.5)
