"""Values and gradients by PyTorch for `gene eval`'s tests: python gene_eval.py > gene_eval.jsonl (PyTorch 2.11.0).

The first line is the batch, each other line is [precision, gene, value, gradient].
"""
import json
import math

import torch

BATCH = {"outputs": [[0.5, -1.25, 2.0], [-0.75, 1.5, 1.0]], "targets": [[0, 0, 1], [1, 0, 0]]}
GENES = {
    "safe_sub(zero, row_sum(safe_mul(y, log_softmax(x))))": lambda x, y, c: 0 - (y * torch.log_softmax(x, -1)).sum(-1, True),
    "safe_div(tanh(x), safe_exp(safe_sub(tensor(0.3790), y)))": lambda x, y, c: torch.tanh(x) / (torch.exp(torch.clamp(c(0.379) - y, -100, 100)) + 1e-8),
    "safe_mul(std(x), hypot(x, y))": lambda x, y, c: torch.std(x) * torch.hypot(x, y),
    "safe_mul(mod(x, safe_add(half, y)), arctan(x))": lambda x, y, c: torch.remainder(x, c(0.5) + y) * torch.arctan(x),
    "safe_add(safe_mul(pi, x), safe_div(e, y))": lambda x, y, c: c(3.14159) * x + c(2.71828) / (y + 1e-8),
    "sign(x)": lambda x, y, c: torch.sign(x),
    "safe_sqrt(safe_mul(x, y))": lambda x, y, c: torch.sqrt(torch.abs(x * y)),
    "arcsin(safe_mul(x, half))": lambda x, y, c: torch.arcsin(x * c(0.5)),
    "arccos(safe_mul(x, half))": lambda x, y, c: torch.arccos(x * c(0.5)),
    "safe_log(y)": lambda x, y, c: torch.log(torch.abs(y) + 1e-8),
    "reciprocal(relu(x))": lambda x, y, c: torch.reciprocal(torch.relu(x)),
    "safe_sub(y, reciprocal(relu(x)))": lambda x, y, c: y - torch.reciprocal(torch.relu(x)),
    "arcsin(x)": lambda x, y, c: torch.arcsin(x),
    "safe_exp(safe_mul(tensor(45.), x))": lambda x, y, c: torch.exp(torch.clamp(c(45.0) * x, -100, 100)),
}


def word(number):
    return number if math.isfinite(number) else str(number)


print(json.dumps(BATCH))
for dtype in (torch.float32, torch.float64):
    for gene, formula in GENES.items():
        x = torch.tensor(BATCH["outputs"], dtype=dtype, requires_grad=True)
        y = torch.tensor(BATCH["targets"], dtype=dtype)
        loss = formula(x, y, lambda number: torch.tensor(number, dtype=dtype)).mean()
        if loss.requires_grad:
            loss.backward()
        gradient = None if x.grad is None else [[word(g) for g in row] for row in x.grad.tolist()]
        precision = {torch.float32: "f32", torch.float64: "f64"}[dtype]
        print(json.dumps([precision, gene, word(loss.item()), gradient]))
