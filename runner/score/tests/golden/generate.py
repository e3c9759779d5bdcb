"""Writes expected.json: intervals, e-values and their closed form's independent check, by numpy and scipy.

    python runner/score/tests/golden/generate.py > runner/score/tests/golden/expected.json

Written with Python 3.11, numpy 2 and scipy 1.17. The e-values are integrals of the likelihood ratio of Student's
noncentral t over the prior of the effect size; the closed form that the crate uses appears nowhere here.
"""

import json
import math

import numpy as np
from scipy import integrate, stats

SAMPLES = [
    [0.91, 0.93, 0.90, 0.94, 0.92],
    [0.1, 0.4],
    [0.004, -0.002, 0.011, 0.005, 0.0, 0.007, 0.003, -0.001, 0.009, 0.002, 0.006, 0.004],
    [1e-3 * ((7 * k) % 11 - 5) for k in range(100)],
]


def interval(sample, comparisons):
    low, high = stats.t.interval(1 - 0.05 / comparisons, len(sample) - 1, np.mean(sample), stats.sem(sample))
    return {"sample": sample, "comparisons": comparisons, "mean": np.mean(sample), "low": low, "high": high}


def e_value(n, t, precision):
    """The mean of the likelihood ratio of effect size delta to effect size 0, delta normal with this precision."""
    nu, root = n - 1, math.sqrt(n)
    null = stats.t.logpdf(t, nu)

    def integrand(delta):
        alternative = stats.nct.pdf(t, nu, delta * root)
        return alternative * math.exp(-null) * stats.norm.pdf(delta, 0, 1 / math.sqrt(precision))

    peak = t / root
    width = 40 / math.sqrt(n)
    value, error = integrate.quad(integrand, peak - width, peak + width, limit=500, points=[peak, 0.0], epsrel=1e-10)
    assert error < 1e-7 * value, (n, t, precision, value, error)
    return {"pairs": n, "t": t, "precision": precision, "e": value}


print(
    json.dumps(
        {
            "intervals": [interval(sample, k) for sample in SAMPLES for k in (1, 8, 63)],
            "eValues": [
                e_value(n, t, precision)
                for n in (2, 3, 5, 10, 30, 100)
                for t in (0.0, 0.5, -1.5, 3.0, 5.0)
                for precision in (1.0, 4.0)
            ],
        },
        indent=1,
    )
)
