"""Where fits run: processes of this machine, or a cluster, through the cluster's joblib backend."""

import os
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from typing import Any

from joblib import parallel_config

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
        with parallel_config(n_jobs=compute.workers, **options):
            yield


def _processes(compute: Compute, stack: ExitStack) -> dict[str, Any]:
    return {"backend": "loky"}


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
    cores = "*" if compute.workers == -1 else compute.workers
    where = compute.address if _answers(compute) else f"local[{cores}]"
    if compute.address is None:
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    stack.callback(builder.master(where).getOrCreate().stop)
    register()
    return {"backend": "spark"}


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
