"""The original miner's recipe in plain PyTorch, as fast as that script can be made without changing what it computes.

MLP 784-128-128-10 with dropout 0.2, Adam 1e-3, 100 batches of 128, accuracy on 51 validation batches. Batches are
preloaded as tensors, one thread per process. Prints candidates per second. Run by `runner bench recipe`.
"""
import argparse
import multiprocessing
import time

import numpy as np
import torch
from torch import nn

BATCH, STEPS, VALIDATION = 128, 100, 51

PRIMITIVES = {
    "safe_add": torch.add,
    "safe_sub": torch.sub,
    "safe_mul": torch.mul,
    "safe_div": lambda a, b: a / (b + 1e-8),
    "safe_exp": lambda a: torch.exp(torch.clamp(a, -100, 100)),
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "cos": torch.cos,
    "mean": torch.mean,
    "one": torch.tensor(1.0),
}


def read(folder, name):
    images = np.fromfile(f"{folder}/{name}-images-idx3-ubyte", dtype=np.uint8)[16:].reshape(-1, 784)
    labels = np.fromfile(f"{folder}/{name}-labels-idx1-ubyte", dtype=np.uint8)[8:].astype(np.int64)
    return torch.tensor(images / 255.0, dtype=torch.float32), torch.tensor(labels)


def batches(folder, name, count):
    images, labels = read(folder, name)
    order = torch.arange(count * BATCH) % len(images)
    return [(images[part], labels[part]) for part in order.split(BATCH)]


def fitness(loss, train, validation):
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Linear(784, 128), nn.ReLU(), nn.Dropout(0.2),
        nn.Linear(128, 128), nn.ReLU(), nn.Dropout(0.2), nn.Linear(128, 10),
    )  # fmt: skip
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for images, labels in train:
        optimizer.zero_grad()
        targets = nn.functional.one_hot(labels, 10).float()
        value = loss(model(images), targets)
        if not torch.isfinite(value).all():
            return 0.0
        value = value if value.dim() == 0 else value.mean()
        value.backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        right = sum((model(images).argmax(1) == labels).sum().item() for images, labels in validation)
    return right / (BATCH * len(validation))


def work(folder, genes, count, ready, results):
    torch.set_num_threads(1)
    train, validation = batches(folder, "train", STEPS), batches(folder, "t10k", VALIDATION)
    # Our own six bench genes, so the text is safe to compile.
    losses = [eval(f"lambda x, y: {gene}", dict(PRIMITIVES)) for gene in genes]  # noqa: S307
    fitness(losses[0], train, validation)
    ready.wait()
    began = time.perf_counter()
    for index in range(count):
        fitness(losses[index % len(losses)], train, validation)
    results.put((began, time.perf_counter()))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", required=True)
    parser.add_argument("--genes", required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--processes", type=int, required=True)
    options = parser.parse_args()
    with open(options.genes, encoding="utf-8") as file:
        genes = file.read().split("\n")
    context = multiprocessing.get_context("spawn")
    ready, results = context.Barrier(options.processes), context.Queue()
    share = options.count // options.processes
    workers = [
        context.Process(target=work, args=(options.data, genes, share, ready, results))
        for _ in range(options.processes)
    ]
    for worker in workers:
        worker.start()
    times = [results.get(timeout=600) for _ in workers]
    for worker in workers:
        worker.join()
    elapsed = max(end for _, end in times) - min(began for began, _ in times)
    print(share * options.processes / elapsed)


if __name__ == "__main__":
    main()
