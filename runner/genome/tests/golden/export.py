"""Writes export.json: exported PyTorch modules, and what real PyTorch computes when it runs them.

    python3 runner/genome/tests/golden/export.py RUNNER > runner/genome/tests/golden/export.json

RUNNER is a built `runner`, whose `gene export --format pytorch` writes the modules. Needs torch; written with torch 2.11.0
(CPU). Run it again whenever the text of an export changes on purpose, or a primitive or a known loss is added.
"""
import json
import math
import subprocess
import sys
import warnings

import torch

torch.set_num_threads(1)
warnings.simplefilter("ignore")  # std of one element warns

ONE = """safe_log safe_sqrt safe_exp sin cos tan sigmoid relu tanh mean std arcsin arccos arctan leaky_relu abs reciprocal
    square cube sign floor ceil round softmax log_softmax row_sum row_max row_mean""".split()
TWO = "safe_add safe_sub safe_mul safe_div max min mod hypot".split()
GENES = [
    *(f"{name}({a})" for name in ONE for a in ("x", "row_mean(x)", "mean(x)")),
    *(
        f"{name}({a})"
        for name in TWO
        for a in ("x, y", "half, x", "row_mean(x), tensor(0.3790)", "e, y", "safe_sub(x, y), pi")
    ),
    *("x", "y", "one", "safe_sub(zero, x)", "safe_add(x, tensor(5.0123e-05))", "safe_mul(x, tensor(-12345678.))"),
    "safe_div(tanh(x), safe_exp(safe_sub(tensor(0.3790), y)))",
    "safe_mul(std(x), hypot(mod(x, pi), y))",
    "sin(" * 89 + "x" + ")" * 89,
]
# Ordinary numbers in two shapes, and one row of numbers where functions break off, overflow or are undefined.
BATCHES = [
    ([[0.31, -1.7, 0.04], [2.2, -0.6, 0.9], [-0.12, 1.1, -2.4], [0.5, 0.77, -0.2]],
     [[0, 1, 0], [1, 0, 0], [0, 0, 1], [1, 0, 0]]),
    ([[0.5, -1.25, 2.0], [-0.75, 1.5, 1.0]], [[0, 0, 1], [1, 0, 0]]),
    ([[0.0, 1.0, -1.0, 120.0, -3.5]], [[0, 0, 0, 1, 0]]),
]  # fmt: skip


def runner(*arguments):
    return subprocess.run([sys.argv[1], "gene", *arguments], check=True, capture_output=True, text=True).stdout


def word(number):
    return number if math.isfinite(number) else str(number)


def answer(module, outputs, targets):
    """What the module's loss is of one batch: [value, gradient or null, row by row]."""
    x = torch.tensor(outputs, dtype=torch.double, requires_grad=True)
    loss = module["loss"](x, torch.tensor(targets, dtype=torch.double))
    if loss.requires_grad:
        loss.backward()
    return [word(loss.item()), None if x.grad is None else [word(g) for g in x.grad.flatten().tolist()]]


def case(gene):
    source = runner("export", gene, "--format", "pytorch")
    module = {}
    exec(compile(source, gene, "exec"), module)
    return {"gene": gene, "module": source, "answers": [answer(module, *batch) for batch in BATCHES]}


if __name__ == "__main__":
    known = [json.loads(line)["expression"] for line in runner("show", "--known", "--json").splitlines()]
    head = {"torch": torch.__version__, "batches": [{"outputs": x, "targets": y} for x, y in BATCHES]}
    print(json.dumps(head)[:-1] + ', "cases": [')
    print(",\n".join(json.dumps(case(gene)) for gene in known + GENES))
    print("]}")
