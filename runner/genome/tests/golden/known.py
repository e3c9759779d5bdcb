"""Writes known.json: the known losses by real PyTorch, in double precision, from their published formulas.

    python runner/genome/tests/golden/known.py > runner/genome/tests/golden/known.json

Written with torch 2.11.0 (CPU). Nothing of it comes from the gene texts, except the 1e-8 that `safe_div` adds where
Baikal divides by a probability.
"""

import json

import torch
import torch.nn.functional as F

torch.set_num_threads(1)


def cross_entropy(x, t):
    return F.cross_entropy(x, t.argmax(-1))


def label_smoothing(x, t):
    return F.cross_entropy(x, t.argmax(-1), label_smoothing=0.1)


def true_class(x, t):
    return F.softmax(x, -1)[torch.arange(len(x)), t.argmax(-1)]


def focal(x, t):
    nll = F.cross_entropy(x, t.argmax(-1), reduction="none")
    return ((1 - true_class(x, t)) ** 2 * nll).mean()


def poly1(x, t):
    return (F.cross_entropy(x, t.argmax(-1), reduction="none") + 1 - true_class(x, t)).mean()


def mse(x, t):
    return F.mse_loss(F.softmax(x, -1), t, reduction="sum") / len(x)


def baikal(x, t):
    p = F.softmax(x, -1)
    return -(p.log() - t / (p + 1e-8)).mean()


def baikal_cma(x, t):
    p = F.softmax(x, -1)
    return -(2.7279 * 0.9863 * (1.5352 * p).log() - 1.1135 * 1.3716 / 0.8411 * t / (p + 1e-8)).mean()


def ngl(x, t):
    p = F.softmax(x, -1)
    return ((2.4092 - p * (1 + t)).exp() - p.sin().cos().cos()).mean()


LOSSES = {
    "cross-entropy": cross_entropy,
    "label-smoothing": label_smoothing,
    "focal": focal,
    "poly1": poly1,
    "mse": mse,
    "baikal": baikal,
    "baikal-cma": baikal_cma,
    "ngl": ngl,
}


def batches():
    generator = torch.Generator().manual_seed(20190527)
    for rows, classes, scale in [(8, 10, 0.1), (8, 10, 1.0), (5, 3, 1.0), (4, 10, 3.0), (1, 2, 1.0), (16, 7, 2.0)]:
        x = torch.randn(rows, classes, generator=generator, dtype=torch.double) * scale
        t = F.one_hot(torch.randint(classes, (rows,), generator=generator), classes).double()
        yield x, t


def case(x, t):
    answers = {}
    for key, loss in LOSSES.items():
        outputs = x.clone().requires_grad_()
        value = loss(outputs, t)
        value.backward()
        answers[key] = {"value": value.item(), "gradient": outputs.grad.flatten().tolist()}
    shape = {"rows": x.shape[0], "classes": x.shape[1]}
    return shape | {"outputs": x.flatten().tolist(), "targets": t.flatten().tolist(), "losses": answers}


if __name__ == "__main__":
    print(json.dumps({"torch": torch.__version__, "cases": [case(x, t) for x, t in batches()]}, indent=None))
