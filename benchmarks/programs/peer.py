"""What the peers of the cookbook's programs share. Each is run as `NAME.py SEED THREADS` and prints the seconds that its work
took, imports not counted, and its figure of quality."""
import json
import pathlib
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
SEED, THREADS = int(sys.argv[1]), int(sys.argv[2])


def run(work):
    begin = time.perf_counter()
    figure = work()
    print(json.dumps({"seconds": time.perf_counter() - begin, "figure": float(figure)}))


def run_torch(work):
    import torch

    torch.manual_seed(SEED)
    torch.set_num_threads(THREADS)
    run(work)
