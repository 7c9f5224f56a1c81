"""sqa run --op linear, O and its gradients, against PyTorch's autograd. PyTorch's side is what
`sqa bench --peer torch` times, in float64. Exit status 77 where PyTorch is not installed.
usage: torch_linear.py SQA PEER.py"""
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

# Heads of Q, of K and V, length; keys of a shape and the options that say so.
CASES = [
    (2, 2, 150, "causal", "--causal"),
    (4, 2, 64, "causal,feature=elu1,normalise", "--causal --feature elu1 --normalise"),
    (1, 2, 37, "feature=relu", "--feature relu"),
]


def peer_of(path):
    spec = importlib.util.spec_from_file_location("peer", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def number_of(*shape):
    """What a file of f32 holds."""
    return (torch.rand(*shape, dtype=torch.float64) * 2 - 1).float().double().requires_grad_()


def error_of(path, expected):
    got = torch.from_numpy(np.load(path)).double().reshape(expected.shape)
    return ((got - expected).norm() / expected.norm()).item()


def check(sqa, peer, folder, q_heads, kv_heads, length, keys, options):
    torch.manual_seed(1)
    words = dict((key + "=").split("=")[:2] for key in keys.split(","))
    linear = peer.Linear((2, q_heads, kv_heads, length, length, 12), words, number_of)
    out = linear.compute(*linear.inputs)
    dout = number_of(*out.shape).detach()
    gradients = torch.autograd.grad(out, linear.inputs, dout)
    for name, tensor in zip(["q", "k", "v", "dout"], [*linear.inputs, dout]):
        np.save(f"{folder}/{name}.npy", tensor.detach().float().numpy())
    files = [word for name in ["q", "k", "v"] for word in (f"--{name}", f"{folder}/{name}.npy")]
    outputs = [word for name in ["dq", "dk", "dv"] for word in (f"--{name}", f"{folder}/{name}.npy")]
    command = [sqa, "run", "--op", "linear", *files, *options.split()]
    subprocess.run([*command, "--out", f"{folder}/o.npy"], check=True, stderr=subprocess.DEVNULL)
    subprocess.run([*command, "--dout", f"{folder}/dout.npy", *outputs], check=True,
                   stderr=subprocess.DEVNULL)
    for name, expected in zip(["o", "dq", "dk", "dv"], [out.detach(), *gradients]):
        error = error_of(f"{folder}/{name}.npy", expected)
        print(f"{keys} {name}: {error:.1e}")
        if not error < (2e-6 if name == "o" else 1e-5):
            sys.exit(f"{keys}: {name} is off by {error:.3g}")


for case in CASES:
    with tempfile.TemporaryDirectory() as work:
        check(os.path.abspath(sys.argv[1]), peer_of(sys.argv[2]), work, *case)
