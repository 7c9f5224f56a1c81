"""sqa run --op layer, Y and all gradients, against PyTorch's autograd: positions, normalised queries
and keys, a gate, biases, fused or not. PyTorch's side is what `sqa bench --peer torch` times, in
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

BATCH, LENGTH, DIM, WIDTH = 2, 19, 12, 20

# Heads of Q, of K and V; the variant of four heads; keys of a shape and the options that say so.
CASES = [
    (4, 4, "mha", "causal", "--causal"),
    (2, 1, "sqa", "fused,biases,rope=half,qknorm,gate", "--rope half --qk-norm --gate"),
    (1, 2, "rsqa", "rope=interleaved,ropedim=8,ropebase=500,ropeoffset=7,causal",
     "--rope interleaved --rope-dim 8 --rope-base 500 --rope-offset 7 --causal"),
    (4, 1, "gqa", "biases,qknorm", "--qk-norm"),
    (1, 1, "xsqa", "fused,gate,biases,rope=half,causal", "--gate --rope half --causal"),
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


def check(sqa, peer, folder, q_heads, kv_heads, variant, keys, options):
    torch.manual_seed(1)
    words = dict((key + "=").split("=")[:2] for key in (keys + f",dmodel={WIDTH}").split(","))
    layer = peer.Layer((BATCH, q_heads, kv_heads, LENGTH, LENGTH, DIM), words, number_of)
    y = layer.forward()
    dout = number_of(*y.shape).detach()
    gradients = torch.autograd.grad(y, layer.inputs, dout)
    for name, tensor in dict(layer.of, dout=dout).items():
        np.save(f"{folder}/{name}.npy", tensor.detach().float().numpy())
    subprocess.run([sqa, "run", "--op", "layer", "--variant", variant, "--heads", "4",
                    "--x", f"{folder}/x.npy", "--weights", folder, "--out", f"{folder}/y.npy",
                    "--dout", f"{folder}/dout.npy", "--grads", f"{folder}/grads",
                    *options.split()], check=True, stderr=subprocess.DEVNULL)
    errors = {"y": error_of(folder, "y", y.detach())}
    for name, gradient in zip(layer.of, gradients):
        errors["d" + name] = error_of(f"{folder}/grads", name, gradient)
    for name, error in errors.items():
        print(f"{variant} {keys} {name}: {error:.1e}")
        if not error < 1e-5:
            sys.exit(f"{variant} {keys}: {name} is off by {error:.3g}")


for case in CASES:
    with tempfile.TemporaryDirectory() as work:
        check(os.path.abspath(sys.argv[1]), peer_of(sys.argv[2]), work, *case)
