"""Writes original.json: scores and weights as the original computes them, with numpy in torch's place.

    python runner/score/tests/golden/original.py > runner/score/tests/golden/original.json

Written with Python 3.11 and numpy 2.4. The steps follow what the original and bittensor 8.5.1 do, in words of our own; the mean and
the deviation are taken in double precision and rounded to single, as the crate's documentation says.
"""

import json

import numpy as np

rng = np.random.default_rng(5)
F = np.float32


def score(accuracies):
    values = np.array(accuracies, dtype=F)
    mean = F(values.astype(float).mean())
    std = F(values.astype(float).std(ddof=1))
    return F(F(0.7) * mean + F(0.3) * (F(1) - std / mean))


def line():
    low = 2 / (50 * 6.0)
    values = np.linspace(low * 5.0, low, 50)
    return (values / np.sum(values)).tolist()


def weights(scores):
    result = [0.0] * len(scores)
    ranked = sorted((uid for uid, s in enumerate(scores) if s != 0.0), key=lambda uid: scores[uid], reverse=True)
    for uid, share in zip(ranked[:50], line()):
        result[uid] = share
    total = sum(result)
    return [w / total for w in result] if total > 0 else result


def emit(shares):
    shares = np.array(shares, dtype=F).tolist()
    top = max(shares)
    whole = [round(w / top * 65535) for w in shares] if sum(shares) else []
    return [[uid, w] for uid, w in enumerate(whole) if w]


cases = []
for miners in (1, 2, 3, 7, 10, 49, 50, 51, 64, 256):
    table = (rng.integers(0, 1001, (miners, 7)) / 1000).tolist()
    scores = [score(row) for row in table]
    # Some without a gene, and some copies, which tie.
    for uid in range(miners):
        if miners > 3 and uid % 5 == 4:
            scores[uid] = F(0)
        if miners > 3 and uid % 7 == 6:
            table[uid], scores[uid] = table[uid - 1], scores[uid - 1]
    cases.append(
        {
            "accuracies": table,
            "missing": [uid for uid, s in enumerate(scores) if s == 0],
            "scores": [float(s) for s in scores],
            "weights": emit(weights(scores)),
        }
    )
print(json.dumps(cases))
