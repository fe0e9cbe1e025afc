"""Where fits run: processes of this machine, or a cluster, through the cluster's joblib backend."""

import os
import signal
import socket
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from typing import Any

from joblib import effective_n_jobs, parallel_config
from joblib.parallel import LokyBackend, get_active_backend

from .config import Compute
from .errors import InputError

PATIENCE = 5.0  # seconds until a cluster must have answered


@contextmanager
def parallel(compute: Compute) -> Iterator[None]:
    """Spread joblib's work inside the block as params.yaml says.

    Raises:
        InputError: the package of the backend is not installed, or the cluster does not answer.
    """
    begin = {"processes": _processes, "dask": _dask, "ray": _ray, "spark": _spark}
    with ExitStack() as stack:
        options = begin[compute.backend](compute, stack)
        with parallel_config(**{"n_jobs": compute.workers, **options}):
            yield


def is_local() -> bool:
    """Return whether joblib's work is done in this process, one job after the other."""
    backend, _ = get_active_backend()
    return isinstance(backend, LokyBackend) and effective_n_jobs(None) == 1


def _processes(compute: Compute, stack: ExitStack) -> dict[str, Any]:
    # Ctrl-C reaches every process of a terminal; here this one ends the others.
    stack.enter_context(_ended_quietly())
    ignore = (signal.SIGINT, signal.SIG_IGN)
    return {"backend": "loky", "initializer": signal.signal, "initargs": ignore}


@contextmanager
def _ended_quietly() -> Iterator[None]:
    """Tell nobody that loky's manager looked for a job that was cleared when the pool was ended."""
    tell = threading.excepthook

    def hear(told: threading.ExceptHookArgs) -> None:
        manager = told.thread is not None and told.thread.name == "ExecutorManagerThread"
        if not (manager and told.exc_type is KeyError):
            tell(told)

    threading.excepthook = hear
    try:
        yield
    finally:
        threading.excepthook = tell


def _dask(compute: Compute, stack: ExitStack) -> dict[str, Any]:
    distributed = _require("distributed", "dask")
    local: dict[str, Any] = {}
    if not _answers(compute):
        workers = None if compute.workers == -1 else compute.workers
        local = {"n_workers": workers, "threads_per_worker": 1}
    stack.enter_context(distributed.Client(compute.address, **local))
    return {"backend": "dask"}


def _ray(compute: Compute, stack: ExitStack) -> dict[str, Any]:
    ray = _require("ray", "ray")
    register = _require("ray.util.joblib", "ray").register_ray
    where = compute.address if _answers(compute) else "local"
    ray.init(address=where, log_to_driver=False, logging_level="ERROR")
    stack.callback(ray.shutdown)
    register()
    # What a node that dies was doing is done again elsewhere.
    return {"backend": "ray", "ray_remote_args": {"max_restarts": -1, "max_task_retries": -1}}


def _spark(compute: Compute, stack: ExitStack) -> dict[str, Any]:
    register = _require("joblibspark", "spark").register_spark
    builder = _require("pyspark.sql", "spark").SparkSession.builder
    # About how joblibspark calls pyspark, which nobody here can change.
    warnings.filterwarnings("ignore", module="joblibspark|pyspark")
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    cores = "*" if compute.workers == -1 else compute.workers
    # Unless spark-defaults.conf or the environment say otherwise; what died is tried four times.
    os.environ.setdefault("MASTER", f"local[{cores},4]")
    if _answers(compute):
        builder = builder.master(compute.address)
    try:
        session = builder.config("spark.ui.showConsoleProgress", "false").getOrCreate()
    except _require("pyspark.errors", "spark").PySparkRuntimeError as error:
        raise InputError(
            "params.yaml: compute.backend: spark needs Java 17 or later, which does not start "
            f"here ({error}); install it (Debian: `apt install default-jre-headless`), or set "
            "JAVA_HOME to where it is"
        ) from None
    stack.callback(session.stop)
    slots = _slots(session.sparkContext)
    register()
    return {"backend": "spark", "n_jobs": slots if compute.workers == -1 else compute.workers}


def _slots(context: Any) -> int:
    """Return how many jobs a Spark cluster takes at once, when no more executors come."""
    context.parallelize([0], 1).count()  # waits for the first
    context.setLogLevel("ERROR")
    found = 0
    while context.defaultParallelism > found:
        found = context.defaultParallelism
        time.sleep(1)
    return found


def _require(module: str, extra: str) -> Any:
    try:
        return import_module(module)
    except ImportError:
        raise InputError(
            f"params.yaml: compute.backend: {extra} needs packages that are not installed; run "
            f'`make lock EXTRAS="{extra}"` and `make setup`'
        ) from None


def _answers(compute: Compute) -> bool:
    """Return whether the cluster of the address answers; False without an address.

    Raises:
        InputError: it does not. (Ray itself would end the process.)
    """
    if compute.address is None:
        return False
    host, _, port = compute.address.rpartition("//")[2].partition(",")[0].rpartition(":")
    try:
        socket.create_connection((host, int(port)), PATIENCE).close()
    except (OSError, ValueError) as error:
        raise InputError(
            f"params.yaml: compute.address: no {compute.backend} cluster answers at "
            f"{compute.address} ({error}); start it, or remove the line to use this machine"
        ) from None
    return True
