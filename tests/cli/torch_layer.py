"""sqa run --op layer and --op block, Y and all gradients, against PyTorch's autograd: positions,
normalised queries and keys, a gate, biases, fused or not; blocks serial and parallel, with either
norm, gated or not. PyTorch's side is what `sqa bench --peer torch` times, in
float64. Exit status 77 where PyTorch is not installed.
usage: torch_layer.py SQA PEER.py"""
import importlib.util
import os
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import torch
except ImportError:
    print("PyTorch is not installed")
    sys.exit(77)

BATCH, LENGTH, DIM, WIDTH, INNER = 2, 19, 12, 20, 28

# Heads of Q, of K and V; the variant of four heads; keys of a shape and the options that say so.
LAYERS = [
    (4, 4, "mha", "causal", "--causal"),
    (2, 1, "sqa", "fused,biases,rope=half,qknorm,gate", "--rope half --qk-norm --gate"),
    (1, 2, "rsqa", "rope=interleaved,ropedim=8,ropebase=500,ropeoffset=7,causal",
     "--rope interleaved --rope-dim 8 --rope-base 500 --rope-offset 7 --causal"),
    (4, 1, "gqa", "biases,qknorm", "--qk-norm"),
    (1, 1, "xsqa", "fused,gate,biases,rope=half,causal", "--gate --rope half --causal"),
]
BLOCKS = [
    (4, 4, "mha", "causal,gated,act=silu", "--causal"),
    (2, 1, "sqa", "norm=layer,mlpbiases,biases,qknorm,act=gelu_erf",
     "--norm layer --qk-norm --activation gelu_erf"),
    (1, 1, "xsqa", "kind=parallel,causal,gated,act=gelu_tanh,fused,rope=half,qknorm,gate",
     "--kind parallel --causal --activation gelu_tanh --rope half --qk-norm --gate"),
    (4, 1, "gqa", "kind=parallel,norm=layer,norm_eps=0.01,mlpbiases,act=relu",
     "--kind parallel --norm layer --norm-eps 0.01 --activation relu"),
    (1, 2, "rsqa", "gated,mlpbiases,norm=layer,act=sigmoid,causal",
     "--norm layer --activation sigmoid --causal"),
]


def peer_of(path):
    spec = importlib.util.spec_from_file_location("peer", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def number_of(*shape, scale=1.0):
    """What a file of f32 holds."""
    numbers = (torch.rand(*shape, dtype=torch.float64) * 2 - 1) * scale
    return numbers.float().double().requires_grad_()


def error_of(folder, name, expected):
    got = torch.from_numpy(np.load(f"{folder}/{name}.npy")).double()
    if got.shape != expected.shape:
        sys.exit(f"{name}: shape {tuple(got.shape)}, not {tuple(expected.shape)}")
    return ((got - expected).norm() / expected.norm()).item()


def check(sqa, peer, op, folder, q_heads, kv_heads, variant, keys, options):
    torch.manual_seed(1)
    all_keys = f"{keys},dmodel={WIDTH},mlp={INNER}".split(",")
    words = dict((key + "=").split("=")[:2] for key in all_keys)
    kind = peer.Block if op == "block" else peer.Layer
    layer = kind((BATCH, q_heads, kv_heads, LENGTH, LENGTH, DIM), words, number_of)
    y = layer.forward()
    dout = number_of(*y.shape).detach()
    gradients = torch.autograd.grad(y, layer.inputs, dout)
    for name, tensor in dict(layer.of, dout=dout).items():
        np.save(f"{folder}/{name}.npy", tensor.detach().float().numpy())
    subprocess.run([sqa, "run", "--op", op, "--variant", variant, "--heads", "4",
                    "--x", f"{folder}/x.npy", "--weights", folder, "--out", f"{folder}/y.npy",
                    "--dout", f"{folder}/dout.npy", "--grads", f"{folder}/grads",
                    *options.split()], check=True, stderr=subprocess.DEVNULL)
    errors = {"y": error_of(folder, "y", y.detach())}
    for name, gradient in zip(layer.of, gradients):
        errors["d" + name] = error_of(f"{folder}/grads", name, gradient)
    for name, error in errors.items():
        print(f"{op} {variant} {keys} {name}: {error:.1e}")
        if not error < 1e-5:
            sys.exit(f"{op} {variant} {keys}: {name} is off by {error:.3g}")


def gated_delta(of):
    """A layer of gated linear attention with the delta rule, token by token; see sqa_cl/layer.h."""
    x, heads = of["x"], 2  # of eight queries'
    q, k, v = (x @ of[name] for name in ("wq", "wk", "wv"))
    q, k, v = (t.unflatten(2, (-1, DIM)).transpose(1, 2) for t in (q, k, v))
    k, v = (t.repeat_interleave(8 // heads, 1) for t in (k, v))
    decay = torch.sigmoid(x @ of["wdecay"]).unflatten(2, (heads, -1)).transpose(1, 2)
    beta = torch.sigmoid(x @ of["wbeta"]).transpose(1, 2)
    decay, beta = (t.repeat_interleave(8 // heads, 1) for t in (decay, beta))
    state, rows = torch.zeros(BATCH, 8, DIM, DIM, dtype=torch.float64), []
    for t in range(LENGTH):
        weakened = decay[:, :, t, :, None] * state
        known = (weakened * k[:, :, t, :, None]).sum(2)
        added = beta[:, :, t, None] * (v[:, :, t] - known)
        state = weakened + k[:, :, t, :, None] * added[:, :, None]
        rows.append((state * q[:, :, t, :, None]).sum(2) * DIM ** -0.5)
    return torch.stack(rows, 2).transpose(1, 2).flatten(2) @ of["wo"]


def check_gates(sqa, folder, channel):
    """Decay and beta that follow from X, and the gradients of what they follow by."""
    torch.manual_seed(2)
    columns = {"wq": 8 * DIM, "wk": 2 * DIM, "wv": 2 * DIM, "wbeta": 2,
               "wdecay": 2 * DIM if channel else 2}
    of = {"x": number_of(BATCH, LENGTH, WIDTH)}
    of.update((name, number_of(WIDTH, count, scale=0.25)) for name, count in columns.items())
    of["wo"] = number_of(8 * DIM, WIDTH, scale=0.25)
    y = gated_delta(of)
    dout = number_of(*y.shape).detach()
    gradients = torch.autograd.grad(y, list(of.values()), dout)
    for name, tensor in dict(of, dout=dout).items():
        np.save(f"{folder}/{name}.npy", tensor.detach().float().numpy())
    subprocess.run([sqa, "run", "--op", "layer", "--variant", "gqa", "--heads", "8", "--causal",
                    "--attention", "linear", "--project-decay", "--project-beta",
                    "--x", f"{folder}/x.npy", "--weights", folder, "--out", f"{folder}/y.npy",
                    "--dout", f"{folder}/dout.npy", "--grads", f"{folder}/grads"],
                   check=True, stderr=subprocess.DEVNULL)
    errors = {"y": error_of(folder, "y", y.detach())}
    for name, gradient in zip(of, gradients):
        errors["d" + name] = error_of(f"{folder}/grads", name, gradient)
    for name, error in errors.items():
        print(f"gates {channel} {name}: {error:.1e}")
        if not error < 1e-5:
            sys.exit(f"gates of X: {name} is off by {error:.3g}")


for operation, cases in ("layer", LAYERS), ("block", BLOCKS):
    for case in cases:
        with tempfile.TemporaryDirectory() as work:
            check(os.path.abspath(sys.argv[1]), peer_of(sys.argv[2]), operation, work, *case)
for of_channels in (False, True):
    with tempfile.TemporaryDirectory() as work:
        check_gates(os.path.abspath(sys.argv[1]), work, of_channels)
