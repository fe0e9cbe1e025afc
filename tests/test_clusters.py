"""`train` and `tune` on real clusters, a worker of which is killed half-way."""

import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from helpers import Bake, free_port

pytestmark = pytest.mark.slow

TRIALS = 16  # four rounds, so that most are still to come when a worker dies
EXTRAS = ["dask", "lightgbm", "ray", "spark", "xgboost"]
SCORES = re.compile(r"^ *(\w+) +(-?[\d.]+)", re.MULTILINE)


@pytest.fixture(scope="module")
def clustered(bake: Bake) -> Path:
    folder = bake(project_slug="clustered")
    params = (folder / "params.yaml").read_text()
    few = {"folds": "2", "trials": TRIALS, "seconds": None, "prefer": "accuracy"}
    for key, value in few.items():
        line = "" if value is None else f"  {key}: {value}\n"
        params = re.sub(rf"(?m)^  (# )?{key}: .*\n", line, params)
    (folder / "params.yaml").write_text(params)
    return folder


@pytest.fixture(scope="module")
def programs(clustered: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's locked environment with what clusters need, which changes none of its pins."""
    folder = tmp_path_factory.mktemp("environment") / "venv"
    install = ["uv", "pip", "install", "--quiet", "--python", str(folder), "--requirement"]
    subprocess.run(["uv", "venv", "--quiet", str(folder)], check=True)
    subprocess.run([*install, str(clustered / "requirements.lock")], check=True)
    chosen = [f"--extra={extra}" for extra in EXTRAS]
    subprocess.run([*install, str(clustered / "pyproject.toml"), *chosen], check=True)
    return folder / "bin"


def environment(programs: Path) -> dict[str, str]:
    return {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "HOME": os.environ.get("HOME", "/"),
        "PYTHONPATH": "src",
        "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
        "RAY_USAGE_STATS_ENABLED": "0",
    }


def stage(name: str, clustered: Path, programs: Path) -> str:
    done = subprocess.run(
        [str(programs / "python"), "-m", "clustered", name],
        cwd=clustered,
        env=environment(programs),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def compute(clustered: Path, backend: str, workers: int, address: str | None = None) -> None:
    text = (clustered / "params.yaml").read_text().partition("compute:")[0]
    lines = [f"  backend: {backend}", f"  workers: {workers}"]
    lines += [f"  address: {address}"] * (address is not None)
    (clustered / "params.yaml").write_text("\n".join([text.rstrip(), "", "compute:", *lines, ""]))


def results(clustered: Path) -> tuple[dict[str, str], list[str]]:
    """The scores of the leaderboard by family, and of all trials."""
    board = (clustered / "reports/leaderboard.csv").read_text().splitlines()[1:]
    trials = (clustered / "reports/trials.csv").read_text().splitlines()[1:]
    scores = {row.split(",")[0]: row.split(",")[1] for row in board}
    return scores, sorted(",".join(row.split(",")[:3]) for row in trials)


@pytest.fixture(scope="module")
def expected(clustered: Path, programs: Path) -> tuple[dict[str, str], list[str]]:
    """What two processes of this machine find."""
    compute(clustered, "processes", 2)
    for name in ("collect", "preprocess", "train", "tune"):
        stage(name, clustered, programs)
    return results(clustered)


def test_families_of_the_extras_join_the_leaderboard(
    expected: tuple[dict[str, str], list[str]],
) -> None:
    assert {"lightgbm", "xgboost", "boosting"} <= set(expected[0])


@pytest.fixture
def dask(clustered: Path, programs: Path) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """A scheduler and two workers, as processes of their own."""
    address = f"tcp://127.0.0.1:{free_port()}"
    quiet = {"cwd": clustered, "env": environment(programs), "stderr": subprocess.DEVNULL}
    program = [str(programs / "dask")]
    options = ["--nthreads=1", "--no-dashboard", "--no-nanny"]
    with (
        subprocess.Popen(
            [*program, "scheduler", "--host", address, "--no-dashboard"],
            **quiet,  # type: ignore[call-overload]
        ) as scheduler,
        subprocess.Popen([*program, "worker", address, *options], **quiet) as first,  # type: ignore[call-overload]
        subprocess.Popen([*program, "worker", address, *options], **quiet) as second,  # type: ignore[call-overload]
    ):
        yield address, [first, second]
        for process in (first, second, scheduler):
            process.kill()


def test_a_dask_cluster_that_loses_a_worker_finds_the_same(
    clustered: Path,
    programs: Path,
    expected: tuple[dict[str, str], list[str]],
    dask: tuple[str, list[subprocess.Popen[bytes]]],
) -> None:
    address, workers = dask
    assert_finds_the_same("dask", address, workers[0].kill, clustered, programs, expected)


def assert_finds_the_same(
    backend: str,
    address: str,
    lose: Callable[[], None],
    clustered: Path,
    programs: Path,
    expected: tuple[dict[str, str], list[str]],
) -> None:
    """A cluster that loses a part half-way ends with the same leaderboard and trials."""
    compute(clustered, backend, -1, address)
    stage("train", clustered, programs)
    with tuning(clustered, programs) as tune:
        wait_for_trials(clustered, tune)
        lose()
        assert_work_is_left(clustered, tune)
        assert tune.wait(timeout=300) == 0
    assert results(clustered) == expected


def tuning(clustered: Path, programs: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [str(programs / "python"), "-m", "clustered", "tune"],
        cwd=clustered,
        env=environment(programs),
        stdout=subprocess.DEVNULL,
    )


def trials_kept(clustered: Path) -> int:
    return len(list(clustered.glob("models/search/*/*.npz")))


def wait_for_trials(clustered: Path, tune: subprocess.Popen[bytes]) -> None:
    """Wait until the first trials are on the disk."""
    deadline = time.monotonic() + 180
    while not trials_kept(clustered):
        assert tune.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)


def assert_work_is_left(clustered: Path, tune: subprocess.Popen[bytes]) -> None:
    """The search goes on, and half of it or more is to come."""
    assert tune.poll() is None
    assert 0 < trials_kept(clustered) <= TRIALS // 2


@pytest.fixture
def ray(programs: Path, clustered: Path, tmp_path: Path) -> Iterator[tuple[str, list[int]]]:
    """A cluster of two nodes of one core; yields its address and the second node's processes."""
    port = free_port()
    start = [str(programs / "ray"), "start", "--num-cpus=1", "--disable-usage-stats"]
    memory = ["--object-store-memory=200000000"]
    env = environment(programs)
    head = [*start, *memory, "--head", f"--port={port}", "--include-dashboard=false"]
    quiet = {"cwd": clustered, "env": env, "check": True, "stdout": subprocess.DEVNULL}
    subprocess.run(head, **quiet)  # type: ignore[call-overload]
    before = raylets()
    try:
        subprocess.run([*start, *memory, f"--address=127.0.0.1:{port}"], **quiet)  # type: ignore[call-overload]
        yield f"127.0.0.1:{port}", sorted(raylets() - before)
    finally:
        subprocess.run([str(programs / "ray"), "stop", "--force"], **quiet)  # type: ignore[call-overload]


def raylets() -> set[int]:
    """The processes that are nodes of Ray."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            program = path.read_bytes().partition(b"\0")[0]
        except OSError:  # it ended meanwhile
            continue
        if program.endswith(b"raylet/raylet"):
            found.add(int(path.parent.name))
    return found


def test_a_ray_cluster_that_loses_a_node_finds_the_same(
    clustered: Path,
    programs: Path,
    expected: tuple[dict[str, str], list[str]],
    ray: tuple[str, list[int]],
) -> None:
    address, nodes = ray

    def lose() -> None:
        for node in nodes:
            os.kill(node, signal.SIGKILL)

    assert_finds_the_same("ray", address, lose, clustered, programs, expected)


@pytest.fixture
def spark(
    programs: Path, clustered: Path, tmp_path: Path
) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """A master and two workers of one core, as processes of their own."""
    port = free_port()
    address = f"spark://127.0.0.1:{port}"
    program = [str(programs / "spark-class")]
    where = ["--host", "127.0.0.1", "--webui-port", "0"]
    head = [*program, "org.apache.spark.deploy.master.Master", "--port", str(port), *where]
    options = ["--cores", "1", "--memory", "1g", "--work-dir", str(tmp_path), *where]
    worker = [*program, "org.apache.spark.deploy.worker.Worker", *options, address]
    env = environment(programs) | {"PYTHONPATH": str(clustered / "src")}
    quiet = {"cwd": clustered, "env": env, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(head, **quiet) as master:  # type: ignore[call-overload]
        wait_for_port(port, master)
        with (
            subprocess.Popen(worker, **quiet) as first,  # type: ignore[call-overload]
            subprocess.Popen(worker, **quiet) as second,  # type: ignore[call-overload]
        ):
            yield address, [first, second]
            for process in (first, second, master):
                process.kill()


def wait_for_port(port: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until a process listens."""
    while process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.1)
    raise AssertionError("it ended")


def test_a_spark_cluster_that_loses_a_worker_finds_the_same(
    clustered: Path,
    programs: Path,
    expected: tuple[dict[str, str], list[str]],
    spark: tuple[str, list[subprocess.Popen[bytes]]],
) -> None:
    address, workers = spark
    assert_finds_the_same("spark", address, workers[0].kill, clustered, programs, expected)


def test_spark_without_java_says_what_to_install(
    clustered: Path, programs: Path, expected: object
) -> None:
    compute(clustered, "spark", 1)
    said = refused(clustered, programs, JAVA_HOME="/nowhere")
    assert "compute.backend: spark needs Java 17" in said


@pytest.mark.parametrize("backend", ["dask", "ray", "spark"])
def test_a_cluster_that_is_not_there_is_named_with_a_remedy(
    clustered: Path, programs: Path, expected: object, backend: str
) -> None:
    scheme = {"dask": "tcp://", "ray": "", "spark": "spark://"}[backend]
    compute(clustered, backend, -1, f"{scheme}127.0.0.1:{free_port()}")
    said = refused(clustered, programs)
    assert f"compute.address: no {backend} cluster answers" in said


def refused(clustered: Path, programs: Path, **variables: str) -> str:
    """What `train` says when it refuses."""
    done = subprocess.run(
        [str(programs / "python"), "-m", "clustered", "train"],
        cwd=clustered,
        env=environment(programs) | variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 2, done.stderr[-2000:]
    assert "Traceback" not in done.stderr
    return done.stderr
