"""Writes the golden files beside it: what real PyTorch computes for thousands of random genes and for the edges.

    python3 runner/genome/tests/golden/generate.py          # torch 2.11.0 and numpy on an x86-64 with AVX2; some minutes

Every gene is run 14 times. The first run (AVX2 kernels, one thread) is the reference. The others are mathematically
the same: one with ATEN_CPU_CAPABILITY=default and rows and classes permuted, and twelve in which sin, exp and their
like, and their gradients, are off by at most two units in the last place, at random, as other maths libraries are. Where
they differ from the reference, PyTorch itself does not know the digits; the largest difference is the element's spread.

batches.bin   u32 count; per batch u32 rows, u32 classes, f32 x[], f32 y[]
genes.txt     per line: batch number, tab, expression
expected.bin  per gene and precision (f64, then f32): u8 flags (1 has a gradient, 2 has spreads), value, gradient[],
              then with flag 2 f32 spreads: value's, gradient's[]
edges.bin     u32 count, f64 values[]; then per line of edges.txt, per x and (binary functions only) per y, per
              precision (f64, then f32): value, gradient of a batch of one element
All little-endian, row-major.
"""
import math
import os
import pickle
import random
import struct
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
import torch

HERE = Path(__file__).parent
EPSILON = 1e-8
EDGES = [0.0, -0.0, *(s * v for v in (1e-8, 0.5, 1.0, 2.5, 88.9, 100.0, 101.0, 1e8, math.inf) for s in (1, -1)), math.nan]

UNARY = {
    "miner": {
        "safe_log": lambda x: torch.log(torch.abs(x) + EPSILON),
        "safe_sqrt": lambda x: torch.sqrt(torch.abs(x)),
        "safe_exp": lambda x: torch.exp(torch.clamp(x, -100, 100)),
        "sin": torch.sin,
        "cos": torch.cos,
        "tan": torch.tan,
        "sigmoid": torch.sigmoid,
        "relu": torch.relu,
        "tanh": torch.tanh,
        "mean": torch.mean,
        "std": torch.std,
    },
    "validator": {
        "arcsin": torch.arcsin,
        "arccos": torch.arccos,
        "arctan": torch.arctan,
        "leaky_relu": lambda x: torch.nn.functional.leaky_relu(x, 0.01),
        "abs": torch.abs,
        "reciprocal": torch.reciprocal,
        "square": torch.square,
        "cube": lambda x: torch.pow(x, 3),
        "sign": torch.sign,
        "floor": torch.floor,
        "ceil": torch.ceil,
        "round": torch.round,
    },
    "extended": {
        "softmax": lambda x: torch.softmax(x, -1),
        "log_softmax": lambda x: torch.log_softmax(x, -1),
        "row_sum": lambda x: torch.sum(x, -1, keepdim=True),
        "row_max": lambda x: torch.amax(x, -1, keepdim=True),
        "row_mean": lambda x: torch.mean(x, -1, keepdim=True),
    },
}
BINARY = {
    "miner": {
        "safe_add": torch.add,
        "safe_sub": torch.sub,
        "safe_mul": torch.mul,
        "safe_div": lambda x, y: x / (y + EPSILON),
    },
    "validator": {"max": torch.maximum, "min": torch.minimum, "mod": torch.remainder, "hypot": torch.hypot},
    "extended": {},
}
NAMED = {"miner": {"one": 1.0, "zero": 0.0, "half": 0.5}, "validator": {"pi": 3.14159, "e": 2.71828}, "extended": {}}
SETS = ["miner", "validator", "extended"]
ALL_UNARY = {k: f for s in SETS for k, f in UNARY[s].items()}
ALL_BINARY = {k: f for s in SETS for k, f in BINARY[s].items()}
ALL_NAMED = {k: v for s in SETS for k, v in NAMED[s].items()}

# No library rounds these correctly (not even MKL's square root); all else is exact arithmetic or a plain sum.
INEXACT = "safe_sqrt safe_log safe_exp sin cos tan sigmoid tanh arcsin arccos arctan hypot softmax log_softmax".split()
NOISY_RUNS = 12

# Shapes where evolved and usual losses live, beside the random ones.
BY_HAND = [
    "safe_sub(zero, row_sum(safe_mul(y, log_softmax(x))))",
    "safe_sub(zero, safe_add(safe_mul(tensor(0.9000), row_sum(safe_mul(y, log_softmax(x)))), safe_mul(tensor(0.1000), row_mean(log_softmax(x)))))",
    "safe_sub(zero, safe_mul(square(safe_sub(one, row_sum(safe_mul(y, softmax(x))))), row_sum(safe_mul(y, log_softmax(x)))))",
    "row_sum(square(safe_sub(softmax(x), y)))",
    "square(safe_sub(x, y))",
    "mean(square(safe_sub(sigmoid(x), y)))",
    "safe_div(safe_sub(x, mean(x)), std(x))",
    "std(safe_sub(mean(safe_mul(x, x)), safe_mul(x, mean(x))))",
    "safe_sub(mean(safe_mul(x, y)), safe_log(mean(safe_exp(x))))",
    "x",
    "y",
    "safe_div(x, x)",
    "safe_sub(std(x), std(safe_add(x, tensor(5.0123e-05))))",
]


def parse(text):
    """Prefix tokens to nested tuples; texts here are well-formed."""
    tokens = text.replace("(", " ").replace(")", " ").replace(",", " ").split()
    tokens.reverse()

    def take():
        token = tokens.pop()
        if token in ALL_UNARY:
            return (token, take())
        if token in ALL_BINARY:
            left = take()
            return (token, left, take())
        if token == "tensor":
            return ("tensor", float(tokens.pop()))
        return (token,)

    tree = take()
    assert not tokens, text
    return tree


def run(tree, x, y, noise=None):
    """The gene on tensors; the left argument first, as Python does. `noise` draws the last place's error."""
    name = tree[0]
    if name == "x":
        return x
    if name == "y":
        return y
    if name == "tensor":
        return torch.tensor(tree[1], dtype=x.dtype)
    if name in ALL_NAMED:
        return torch.tensor(ALL_NAMED[name], dtype=x.dtype)
    if name in ALL_UNARY:
        result = ALL_UNARY[name](run(tree[1], x, y, noise))
    else:
        left = run(tree[1], x, y, noise)
        result = ALL_BINARY[name](left, run(tree[2], x, y, noise))
    if noise is not None and name in INEXACT:
        steps = torch.randint(-2, 3, result.shape, generator=noise).to(x.dtype)
        result = result * (1 + steps * torch.finfo(x.dtype).eps)
    return result


def evaluate(tree, x, y, noise=None):
    """(value, gradient or None) as numpy numbers of x's precision."""
    x = x.clone().requires_grad_(True)
    loss = run(tree, x, y, noise)
    if loss.dim():
        loss = loss.mean()
    if not loss.requires_grad:
        return loss.numpy()[()], None
    loss.backward()
    return loss.detach().numpy()[()], x.grad.numpy()


def random_gene(rng, sets, depth, full=False):
    unary = [k for s in sets for k in UNARY[s]]
    binary = [k for s in sets for k in BINARY[s]]
    named = [k for s in sets for k in NAMED[s]]
    if depth == 0 or (not full and rng.random() < 0.15):
        draw = rng.random()
        if draw < 0.5:
            return "x"
        if draw < 0.72:
            return "y"
        if draw < 0.86:
            return rng.choice(named)
        if draw < 0.89:
            return rng.choice(["tensor(2.)", "tensor(-1.)", "tensor(5.0123e-05)", "tensor(100.)"])
        return f"tensor({rng.uniform(-1, 1):.4f})"
    if rng.random() < 0.5:
        name = rng.choice(binary)
        return f"{name}({random_gene(rng, sets, depth - 1)}, {random_gene(rng, sets, depth - 1)})"
    return f"{rng.choice(unary)}({random_gene(rng, sets, depth - 1, full)})"


def batches():
    rng = np.random.default_rng(7)
    made = []
    shapes = [((5, 3), (0.1, 1, 10, 100)), ((4, 4), (1, 10)), ((1, 1), (1,)), ((7, 1), (1,)), ((8, 10), (0.1, 1, 10, 100)),
              ((64, 10), (1, 10)), ((128, 10), (3,))]
    for (rows, classes), scales in shapes:
        for scale in scales:
            x = (rng.standard_normal((rows, classes)) * scale).astype(np.float32)
            x[rng.random(x.shape) < 0.04] = 0.0
            if classes > 2:
                x[0, 1] = x[0, 0]  # ties, also with one-hot targets
                x[1, 0], x[1, 1] = 1.0, 0.0
            y = np.zeros((rows, classes), dtype=np.float32)
            y[np.arange(rows), rng.integers(0, classes, rows)] = 1.0
            made.append((x, y))
    return made


def permutations(rows, classes):
    rng = np.random.default_rng(11)
    return rng.permutation(rows), rng.permutation(classes)


def second_opinions(work):
    """The child's part: the same numbers in other ways, per gene and precision."""
    noise = torch.Generator().manual_seed(5)
    results = []
    for text, (x, y) in work:
        rows, classes = permutations(*x.shape)
        tree = parse(text)
        pair = []
        for dtype in (torch.float64, torch.float32):
            px, py = (torch.from_numpy(np.ascontiguousarray(a[rows][:, classes])).to(dtype) for a in (x, y))
            value, gradient = evaluate(tree, px, py)
            if gradient is not None:
                back = np.empty_like(gradient)
                back[np.ix_(rows, classes)] = gradient
                gradient = back
            x1, y1 = (torch.from_numpy(a).to(dtype) for a in (x, y))
            noisy = [evaluate(tree, x1, y1, noise) for _ in range(NOISY_RUNS)]
            pair.append([flat(*numbers) for numbers in [(value, gradient), *noisy]])
        results.append(pair)
    return results


def in_child(work):
    with tempfile.TemporaryDirectory() as folder:
        into, out = Path(folder, "in"), Path(folder, "out")
        into.write_bytes(pickle.dumps(work))
        environment = dict(os.environ, ATEN_CPU_CAPABILITY="default")
        subprocess.run([sys.executable, __file__, str(into), str(out)], env=environment, check=True)
        return pickle.loads(out.read_bytes())


def flat(value, gradient):
    return np.append(value, [] if gradient is None else gradient.ravel())


def kind(value, gradient):
    if not np.isfinite(value):
        return "nonfinite value"
    if gradient is None:
        return "no gradient"
    return "finite" if np.isfinite(gradient).all() else "nonfinite gradient"


def spread(one, other):
    with np.errstate(all="ignore"):
        difference = np.abs(np.asarray(one, dtype=np.float64) - np.asarray(other, dtype=np.float64))
    # Where only one of the two runs is finite, no digit is known at all.
    unsure = np.isfinite(one) != np.isfinite(other)
    return np.where(unsure, np.inf, np.nan_to_num(difference, nan=0.0, posinf=np.inf)).astype(np.float32)


def choose(made):
    """Texts with a batch each: most on small batches, and no more than a share of each useless kind."""
    rng = random.Random(3)
    groups = {}
    for index, (x, _) in enumerate(made):
        groups.setdefault(x.shape, []).append(index)
    wanted = {(5, 3): 3600, (4, 4): 700, (1, 1): 200, (7, 1): 200, (8, 10): 900, (64, 10): 60, (128, 10): 12}
    quota = {"finite": 1.0, "no gradient": 0.06, "nonfinite value": 0.2, "nonfinite gradient": 0.12}
    chosen, seen = [], set()
    for shape, count in wanted.items():
        counts = dict.fromkeys(quota, 0)
        for text in BY_HAND:
            chosen.append((groups[shape][0], text))
        while sum(counts.values()) < count:
            sets = SETS[: rng.choice([1, 2, 2, 3, 3])]
            text = random_gene(rng, sets, rng.randint(1, 8))
            batch = rng.choice(groups[shape])
            if (batch, text) in seen or text.count("(") > 60:
                continue
            seen.add((batch, text))
            x, y = (torch.from_numpy(a).double() for a in made[batch])
            found = kind(*evaluate(parse(text), x, y))
            if counts[found] < quota[found] * count:
                counts[found] += 1
                chosen.append((batch, text))
        print(shape, counts)
    return chosen


def write_goldens():
    made = batches()
    chosen = choose(made)
    opinions = in_child([(text, made[batch]) for batch, text in chosen])
    out = bytearray()
    spreads = 0
    for (batch, text), second in zip(chosen, opinions):
        tree = parse(text)
        for dtype, char, enough, others in zip((torch.float64, torch.float32), "df", (1e-10, 1e-6), second):
            x, y = (torch.from_numpy(a).to(dtype) for a in made[batch])
            value, gradient = evaluate(tree, x, y)
            numbers = flat(value, gradient)
            apart = np.max([spread(numbers, other) for other in others], axis=0)
            with np.errstate(all="ignore"):
                known = bool((apart <= enough * np.abs(numbers)).all() or not apart.any())
            spreads += not known
            out.append((gradient is not None) + (0 if known else 2))
            out += numbers.astype("<f8" if char == "d" else "<f4").tobytes()
            if not known:
                out += apart.astype("<f4").tobytes()
    (HERE / "expected.bin").write_bytes(out)
    (HERE / "genes.txt").write_text("".join(f"{batch}\t{text}\n" for batch, text in chosen))
    data = struct.pack("<I", len(made))
    for x, y in made:
        data += struct.pack("<II", *x.shape) + x.astype("<f4").tobytes() + y.astype("<f4").tobytes()
    (HERE / "batches.bin").write_bytes(data)
    print(len(chosen), "genes,", spreads, "of", 2 * len(chosen), "evaluations with spreads")


def write_edges():
    lines = [f"{name}(x)" for name in ALL_UNARY]
    lines += [f"{name}({pair})" for name in ALL_BINARY for pair in ("x, y", "y, x", "x, x")]
    lines += [f"reciprocal({line})" for line in lines]  # tells 0 from -0
    out = struct.pack("<I", len(EDGES)) + np.array(EDGES, dtype="<f8").tobytes()
    for text in lines:
        tree = parse(text)
        for x in EDGES:
            for y in EDGES if "y" in text.split("(")[-1] else [0.0]:
                for dtype, format in ((torch.float64, "<f8"), (torch.float32, "<f4")):
                    value, gradient = evaluate(tree, torch.tensor([[x]], dtype=dtype), torch.tensor([[y]], dtype=dtype))
                    out += np.append(value, gradient.ravel()).astype(format).tobytes()
    (HERE / "edges.bin").write_bytes(out)
    (HERE / "edges.txt").write_text("".join(f"{line}\n" for line in lines))


if __name__ == "__main__":
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    if len(sys.argv) == 3:
        Path(sys.argv[2]).write_bytes(pickle.dumps(second_opinions(pickle.loads(Path(sys.argv[1]).read_bytes()))))
    else:
        assert torch.backends.cpu.get_cpu_capability() == "AVX2", "the reference is the AVX2 kernels: set ATEN_CPU_CAPABILITY=avx2"
        print("torch", torch.__version__)
        write_edges()
        write_goldens()
