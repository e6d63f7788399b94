#!/usr/bin/env python3
"""Turns the results of scripts/benchmark into two tables, what was measured and how it stands to the targets.

  benchmarks/report.py RESULTS [--write docs/performance.md] [--command TEXT]

RESULTS is a folder of JSON files: one for each workload from bench_gan_step and bench_train_step, micro-*.json from
Google Benchmark, images.json from bench_image_steps, compile.json from compile_cost. What is missing is left out. --write replaces what stands between
the markers of a Markdown file.
"""
import argparse
import glob
import json
import os
import statistics
import sys

BEGIN, END = "<!-- benchmark: begin -->", "<!-- benchmark: end -->"
WORKLOADS = {
    "gan-seed": "GAN step `seed`",
    "gan-wide": "GAN step `wide`",
    "discriminator": "D step 784-128-64-32-1, batch 64",
    "discriminator-wide": "D step 784-1024-512-256-1, batch 128",
    "recogniser": "recogniser step 784-256-128-10, batch 100",
}


def quantile(values, q):
    values = sorted(values)
    place = q * (len(values) - 1)
    low = int(place)
    high = min(low + 1, len(values) - 1)
    return values[low] + (values[high] - values[low]) * (place - low)


class Run:
    """One workload: what every contender took at every number of threads."""

    def __init__(self, data):
        self.data = data
        self.results = {(r["contender"], r["threads"]): r for r in data["results"]}
        self.threads = sorted({t for _, t in self.results})

    def get(self, contender, threads):
        return self.results.get((contender, threads))

    def contenders(self):
        return list(dict.fromkeys(c for c, _ in self.results if c != "peak"))

    def best_threads(self, contender):
        """The number of threads at which a contender is fastest; None if it did not run."""
        times = [(r["ms_per_step"], t) for t in self.threads if (r := self.get(contender, t))]
        return min(times)[1] if times else None

    def ratio(self, a, b):
        """Round by round a's time to b's, each (contender, threads); None if one did not run."""
        if not (self.get(*a) and self.get(*b)):
            return None
        return [x / y for x, y in zip(self.get(*a)["round_ms"], self.get(*b)["round_ms"])]


def spread(ratios, form="{:.2f}"):
    if not ratios:
        return None
    middle, low, high = (form.format(quantile(ratios, q)) for q in (0.5, 0.1, 0.9))
    return f"{middle} ({low} to {high})"


def measured_table(runs):
    lines = ["| workload | contender | threads | ms a step: median (p10 to p90) | GFLOP/s | of FMA peak | to OpenBLAS's products |",
             "|---|---|---|---|---|---|---|"]
    for name, run in runs.items():
        for contender in run.contenders():
            for threads in run.threads:
                r = run.get(contender, threads)
                if not r:
                    continue
                ms = r["ms"]
                ratio = spread(run.ratio((contender, threads), ("openblas", threads))) if contender != "openblas" else "1"
                peak = f"{100 * r['of_peak']:.0f} %" if "of_peak" in r else ""
                lines.append(f"| {WORKLOADS[name]} | {r['name']} | {threads} | {ms['median']:.3f} ({ms['p10']:.3f} to "
                             f"{ms['p90']:.3f}) | {r['gflops']:.0f} | {peak} | {ratio or ''} |")
    return lines


class Targets:
    """Rows of the second table: what was asked for, what was measured."""

    def __init__(self):
        self.lines = ["| what | target | measured | met |", "|---|---|---|---|"]

    def add(self, what, target, ratios, met, form="{:.2f}"):
        """`met` judges the median. `ratios`: a list, or one number."""
        if ratios is None:
            return
        values = ratios if isinstance(ratios, list) else [ratios]
        text = spread(values, form) if len(values) > 1 else form.format(values[0])
        self.lines.append(f"| {what} | {target} | {text} | {'yes' if met(statistics.median(values)) else 'no'} |")


def inverse(ratios):
    return ratios and [1 / r for r in ratios]


def gan_targets(targets, runs):
    """OpenBLAS's products and libtorch's steps at the number of threads that suits each best; a step on one thread beside
    products on one."""
    wanted = {("gan-seed", 2): (0.68, 12, 1.7), ("gan-wide", 2): (0.95, 9, 1.85), ("gan-seed", 1): (1.05, None, None)}
    for (name, count), (to_blas, to_torch, scaling) in wanted.items():
        run = runs.get(name)
        if not run:
            continue
        threads = 1 if count == 1 else run.threads[-1]
        if count > 1 and threads == 1:
            continue
        what = f"{WORKLOADS[name]}, {threads} thread{'s' if threads > 1 else ''}"
        ours = ("eigan", threads)
        if theirs := 1 if threads == 1 else run.best_threads("openblas"):
            targets.add(f"{what}, to OpenBLAS's products on {theirs}", f"at most {to_blas:.2f}", run.ratio(ours, ("openblas", theirs)),
                        lambda r, limit=to_blas: r <= limit)
        if to_torch and (theirs := run.best_threads("libtorch")):
            targets.add(f"{what}, times faster than libtorch on {theirs}", f"at least {to_torch}",
                        run.ratio(("libtorch", theirs), ours), lambda r, limit=to_torch: r >= limit)
        if scaling:
            targets.add(f"{WORKLOADS[name]}, {threads} threads over 1", f"at least {scaling}",
                        run.ratio(("eigan", 1), ours), lambda r, limit=scaling: r >= limit)
    for name in ("gan-seed", "gan-wide"):
        if run := runs.get(name):
            targets.add(f"{WORKLOADS[name]}, speed of plain `-O2` to `-march=native -O3`, 1 thread", "at least 0.80",
                        inverse(run.ratio(("eigan_o2", 1), ("eigan", 1))), lambda r: r >= 0.8)


def classifier_targets(targets, runs):
    for name, limit in {"discriminator": 0.95, "recogniser": 1.05}.items():
        if (run := runs.get(name)) and (theirs := run.best_threads("openblas")):
            targets.add(f"{WORKLOADS[name]}, to OpenBLAS's products, best thread count of each", f"at most {limit}",
                        run.ratio(("eigan", run.best_threads("eigan")), ("openblas", theirs)), lambda r, limit=limit: r <= limit)
    if run := runs.get("recogniser"):
        for peer, limit in {"onednn": 1.5, "libtorch": 15}.items():
            if theirs := run.best_threads(peer):
                targets.add(f"{WORKLOADS['recogniser']}, times faster than {peer}, best thread count of each", f"at least {limit}",
                            run.ratio((peer, theirs), ("eigan", run.best_threads("eigan"))), lambda r, limit=limit: r >= limit)


def image_targets(targets, results):
    for step in results["results"]:
        rounds = {c["contender"]: c["round_ms"] for c in step["contenders"]}
        what = f"step of images `{step['step']}`, batch {step['batch']}, {results['threads']} threads, "

        def ratio(a, b):
            return [x / y for x, y in zip(rounds[a], rounds[b])] if a in rounds and b in rounds else None

        targets.add(what + "to oneDNN's convolutions", "at most 1.3", ratio("eigan", "onednn"), lambda r: r <= 1.3)
        targets.add(what + "times faster than libtorch", "at least 2.5", ratio("libtorch", "eigan"), lambda r: r >= 2.5)


def micro_targets(targets, micro, runs):
    def of(prefix):
        return {b["name"]: b for b in micro if b["name"].startswith(prefix)}

    linear = of("Linear/")
    square = {n: b for n, b in linear.items() if "/in:784/" not in n and "/out:784/" not in n}
    for product in ("forward", "backward_input", "backward_params"):
        ratios = {n: b["ratio"] for n, b in square.items() if n.startswith(f"Linear/{product}/")}
        if not ratios:
            continue
        worst = max(ratios, key=ratios.get)
        place = ", ".join(part.replace(":", " ") for part in worst.split("/")[2:5])
        within = sum(r <= 1.05 for r in ratios.values())
        targets.add(f"Linear {product}, to the better of OpenBLAS and Eigen: worst of {len(ratios)} sizes ({place}); "
                    f"{within} are within 1.05", "at most 1.05", ratios[worst], lambda r: r <= 1.05)
        seed = [b["of_peak"] for n, b in linear.items()
                if n.startswith(f"Linear/{product}/in:784/out:128/") and "batch:32" not in n]
        if seed:
            targets.add(f"Linear {product}, 784 to 128, least share of FMA peak", "at least 0.85", min(seed),
                        lambda r: r >= 0.85)
    adam = of("Adam/")
    if large := adam.get("Adam/parameters:16000000"):
        targets.add("Adam, 16 million parameters, share of memcpy's bandwidth", "at least 0.70", large["of_copy"],
                    lambda r: r >= 0.7)
    if (one := adam.get("Adam/parameters:110849")) and (run := runs.get("gan-seed")):
        # The two networks of a step have about as many parameters each.
        targets.add("Adam, share of a `seed` step on 1 thread", "under 0.10",
                    2 * one["real_time"] * 1e-6 / run.get("eigan", 1)["ms_per_step"], lambda r: r < 0.1)
        if denormal := adam.get("Adam/denormal_moments/parameters:110849"):
            targets.add("Adam with denormal moments, time to normal ones", "at most 1.5",
                        denormal["real_time"] / one["real_time"], lambda r: r <= 1.5)
    for name, b in of("Generator/infer/batch:1").items():
        if name.endswith("batch:1"):
            targets.add("inference, one sample, generator `seed`, microseconds", "at most 10", b["real_time"],
                        lambda r: r <= 10, "{:.1f}")
            targets.add("inference, allocations", "0", b["allocations"], lambda r: r == 0, "{:.0f}")


def compile_targets(targets, results):
    for r in results:
        ratio = r["include"]["ratio"]
        targets.add(f"`#include <eigan/eigan.hpp>` to `<Eigen/Core>`, time, {r['compiler']}", "at most 1.6", ratio["seconds"],
                    lambda x: x <= 1.6)
        targets.add(f"the same, memory, {r['compiler']}", "at most 1.6", ratio["megabytes"], lambda x: x <= 1.6)
        targets.add(f"building mnist_gan, seconds of one core, {r['compiler']}", "under 20", r["mnist_gan"]["seconds"],
                    lambda x: x < 20, "{:.1f}")


def kernels_table(runs):
    """By which of OpenBLAS's kernels it is compared, and what the others took."""
    yield "OpenBLAS runs by the fastest of its kernels that this processor can run and that compute right, each by itself:"
    yield ""
    yield "| workload | OpenBLAS's kernels |"
    yield "|---|---|"
    for name, run in runs.items():
        for threads in run.threads:
            r = run.get("openblas", threads)
            if r and "remark" in r:
                yield f"| {WORKLOADS[name]} | {r['remark'].split(', ', 1)[1]} |"


def load(path):
    with open(path) as file:
        return json.load(file)


def write_between_markers(path, text):
    with open(path) as file:
        page = file.read()
    begin, end = page.find(BEGIN), page.find(END)
    if begin < 0 or end < begin:
        sys.exit(f"report.py: {path} has no lines '{BEGIN}' and '{END}', in this order")
    with open(path, "w") as file:
        file.write(page[: begin + len(BEGIN)] + "\n" + text + page[end:])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results")
    parser.add_argument("--write", metavar="FILE")
    parser.add_argument("--command", default="scripts/benchmark")
    options = parser.parse_args()

    runs = {}
    for name in WORKLOADS:
        path = os.path.join(options.results, name + ".json")
        if os.path.exists(path):
            runs[name] = Run(load(path))
    if not runs:
        sys.exit(f"report.py: there are no results in {options.results}")
    micro = [b for path in sorted(glob.glob(os.path.join(options.results, "micro-*.json"))) for b in load(path)["benchmarks"]]
    compile_path = os.path.join(options.results, "compile.json")

    any_run = next(iter(runs.values()))
    machine = any_run.data
    isa = any_run.get("eigan", any_run.threads[0])["about"]["isa"]
    blas = any_run.get("openblas", any_run.threads[0])
    peaks = ", ".join(f"{r['gflops']:.0f} GFLOP/s on {t} thread{'s' if t > 1 else ''}"
                      for t in any_run.threads if (r := any_run.get("peak", t)))
    lines = [
        f"{machine['date']}, `{options.command}`: {machine['processor']}, {machine['processors']} processors, kernels for "
        f"{isa}; {machine['compiler']} `{machine['flags']}`"
        + (f"; {blas['about']['version'].split(' NO_')[0]}" if blas else "")
        + (f"; FMA peak {peaks}" if peaks else "") + f". {machine['rounds']} rounds, processes started afresh {machine['lives']} "
        f"time{'s' if machine['lives'] > 1 else ''}.",
        "",
    ]
    if blas:
        lines += [*kernels_table(runs), ""]
    targets = Targets()
    gan_targets(targets, runs)
    classifier_targets(targets, runs)
    images_path = os.path.join(options.results, "images.json")
    if os.path.exists(images_path):
        image_targets(targets, load(images_path))
    micro_targets(targets, micro, runs)
    if os.path.exists(compile_path):
        compile_targets(targets, load(compile_path))
    text = "\n".join(lines + targets.lines + [""] + measured_table(runs)) + "\n"
    print(text, end="")
    if options.write:
        write_between_markers(options.write, text)


main()
