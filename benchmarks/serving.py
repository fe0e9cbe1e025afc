"""Compares the server of generated projects with what people use, in requests and memory.

Every server runs on one core and wrk on another. They take turns, round after round, so that a
noisy machine slows them alike; the median of the rounds counts. `cpu` is what the server's
processes take, in milliseconds for a request: it hardly depends on what else runs. The servers:

    ours      python -m SLUG.serving, with the model that `tune` chose
    bare      FastAPI with the same model of a request and a constant answer
    raw       ASGI with a constant answer: the limit of uvicorn
    naive     FastAPI, a pandas DataFrame, predict_proba of the usual scikit-learn pipeline
    mlflow    `mlflow models serve` of the same pipeline
    bentoml   a BentoML service of it, in an environment of its own (--bentoml, where
              `pip install bentoml scikit-learn==1.9.1 pandas` was run)

    make bench-serving                                     # all families: about an hour
    make bench-serving BENCH="--families linear --seconds 2"
    make bench-serving BENCH="--project ../mine --servers ours bare raw"   # after its `make run`
    make bench-serving BENCH=--quick                       # does it work at all?

It needs Linux, two cores and wrk (`apt-get install wrk`). Models are fitted once, and kept in
--work; remove that folder to fit them anew.
"""

import argparse
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import fitted

HERE = Path(__file__).parent
PEER = HERE / "serving_peer.py"
SERVERS = ("ours", "bare", "raw", "naive", "mlflow", "bentoml")
USUAL = ("naive", "mlflow", "bentoml")  # of which each needs a pipeline of its own
TICKS = os.sysconf("SC_CLK_TCK")
SCRIPT = """
wrk.method, wrk.headers["Content-Type"] = "POST", "application/json"
local file = io.open("BODY", "rb")
wrk.body = file:read("*a")
file:close()
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format("RESULT %d %d %d\\n", summary.requests, summary.duration,
    e.connect + e.read + e.write + e.status + e.timeout))
end
"""


@dataclass
class Server:
    """One of the servers, running."""

    name: str
    process: subprocess.Popen[bytes]
    url: str
    bodies: dict[int, Path]
    start: float
    memory: float = 0.0
    """Megabytes that its processes have resident after the rounds."""
    rates: dict[tuple[int, int], list[float]] = field(default_factory=dict)
    """Requests a second of each round, by connections and rows."""
    cpu: dict[tuple[int, int], list[float]] = field(default_factory=dict)
    errors: int = 0


def processes(server: Server) -> Iterator[tuple[list[str], int]]:
    """Yield what the kernel says of a server's process and its descendants: figures, pages."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            figures = (folder / "stat").read_text().rpartition(")")[2].split()
            pages = int((folder / "statm").read_text().split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
        found[int(folder.name)] = figures, pages
    for number, told in found.items():
        ancestor = number
        while ancestor in found and ancestor != server.process.pid:
            ancestor = int(found[ancestor][0][1])
        if ancestor == server.process.pid:
            yield told


def cpu_seconds(server: Server) -> float:
    """Return what the processes of a server have used."""
    return sum(int(f[11]) + int(f[12]) for f, _ in processes(server)) / TICKS


def ask(url: str, body: bytes) -> Any:
    """Send one request; returns the JSON of the answer."""
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def command(name: str, port: int, place: "Place") -> tuple[list[str], str, dict[str, str]]:
    """Return how a server is started, where it answers, and its environment variables."""
    python, peers = str(place.python), str(place.peers)
    told = fitted.variables(place.project, BENCHED=peers)
    match name:
        case "ours":
            told |= {"PROJECT_CHAMPION": str(place.bundle), "PROJECT_PORT": str(port)}
            return [python, "-m", f"{place.slug}.serving"], "/predict", told
        case "mlflow":
            options = ["--env-manager", "local", "--port", str(port), "--workers", "1"]
            model = ["-m", f"{peers}/mlflow", *options]
            path = f"{place.python.parent}:{told['PATH']}"
            words = [python, "-m", "mlflow", "models", "serve", *model]
            return words, "/invocations", told | {"PATH": path}
        case "bentoml":
            here = ["serving_bento:Usual", "--working-dir", str(HERE), "--port", str(port)]
            words = [str(place.bentoml), "-m", "bentoml", "serve", *here]
            return words, "/predict", {**told, "PYTHONPATH": ""}
        case _:
            words = [python, str(PEER), place.slug, name, str(port), str(place.bundle), peers]
            return words, "/predict", told


@dataclass(frozen=True)
class Place:
    """Where a family is, and with what its servers run."""

    project: Path
    slug: str
    python: Path
    bundle: Path
    bentoml: Path | None
    facts: Mapping[str, Any]
    """What `serving_peer.py describe` wrote."""

    @property
    def peers(self) -> Path:
        """The folder of the usual pipeline."""
        return self.project / "peers" / self.bundle.name

    def rows(self, count: int) -> list[Any]:
        """Return rows to send."""
        known: list[Any] = self.facts["rows"]
        return [known[i % len(known)] for i in range(count)]

    def body(self, server: str, count: int) -> Any:
        """Return the request of so many rows for a server."""
        rows = self.rows(count)
        if server != "mlflow":
            return {"rows": rows}
        columns = self.facts["columns"]
        table = [[row.get(name) for name in columns] for row in rows]
        return {"dataframe_split": {"columns": columns, "data": table}}


@contextmanager
def running(name: str, place: Place, sizes: Sequence[int], core: int) -> Iterator[Server]:
    """Run a server on a core; it has answered the first time when the block begins."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words, path, told = command(name, port, place)
    place.peers.mkdir(parents=True, exist_ok=True)
    bodies = {n: place.peers / f"{name}.{n}.json" for n in sizes}
    for count, file in bodies.items():
        file.write_text(json.dumps(place.body(name, count)))
    log, began = place.peers / f"{name}.log", time.perf_counter()
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["taskset", "-c", str(core), *words],
            cwd=place.project,
            env=told,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    server = Server(name, process, f"http://127.0.0.1:{port}{path}", bodies, 0.0)
    try:
        body = json.dumps(place.body(name, 1)).encode()
        while not answers(server.url, body):
            if process.poll() is not None or time.perf_counter() - began > 120:
                sys.exit(f"{name} does not answer; see {log}")
            time.sleep(0.02)
        server.start = time.perf_counter() - began
        verify(server, place, max(sizes))
        yield server
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def answers(url: str, body: bytes) -> bool:
    """Say whether a server answers yet."""
    try:
        ask(url, body)
    except urllib.error.HTTPError as error:
        sys.exit(f"{url} refuses the request: {error.read()[:1000]!r}")
    except OSError:
        return False
    return True


def verify(server: Server, place: Place, count: int) -> None:
    """End unless a server scores every row; ours must say what its bundle was released with."""
    if server.name in ("bare", "raw"):
        return
    found = ask(server.url, server.bodies[count].read_bytes())["predictions"]
    assert len(found) == count, f"{server.name} answered {len(found)} of {count} rows"
    if server.name != "ours":
        return
    said = place.facts["said"]
    for position, one in enumerate(found):
        values = [*one.get("probabilities", {"": one.get("value")}).values()]
        true = said[position % len(said)]
        true = true if isinstance(true, list) else [true]
        apart = max(abs(a - b) / max(abs(b), 1) for a, b in zip(values, true, strict=True))
        assert apart <= 1e-9, f"row {position}: {values} was answered, not {true}"


def measure(server: Server, key: tuple[int, int], seconds: float, core: int) -> None:
    """Load a server for some seconds; adds to its figures."""
    connections, rows = key
    script = server.bodies[rows].with_suffix(".lua")
    script.write_text(SCRIPT.replace("BODY", str(server.bodies[rows])))
    words = ["taskset", "-c", str(core), "wrk", "--threads=1", f"--connections={connections}"]
    words += [f"--duration={max(round(seconds), 1)}s", "--timeout=20s"]
    before = cpu_seconds(server)
    told = subprocess.check_output([*words, f"--script={script}", server.url], text=True)
    used = cpu_seconds(server) - before
    requests, microseconds, errors = map(int, told.rpartition("RESULT")[2].split())
    server.rates.setdefault(key, []).append(requests / microseconds * 1e6)
    server.cpu.setdefault(key, []).append(used / max(requests, 1) * 1e3)
    server.errors += errors


def compare(place: Place, names: Sequence[str], args: argparse.Namespace) -> list[Server]:
    """Measure the servers of one family; returns them with their figures."""
    keys = [(c, r) for r in args.rows for c in args.connections]
    core, client = args.cores
    with ExitStack() as stack:
        servers = [stack.enter_context(running(n, place, args.rows, core)) for n in names]
        for server in servers:  # the first requests of a process are slow
            measure(server, keys[0], 1, client)
            server.rates, server.cpu = {}, {}
        for key in keys:
            for _ in range(args.rounds):
                for server in servers:
                    measure(server, key, args.seconds, client)
        for server in servers:
            pages = sum(found for _, found in processes(server))
            server.memory = pages * os.sysconf("SC_PAGE_SIZE") / 1e6
    return servers


def report(title: str, servers: Sequence[Server]) -> None:
    """Print the table of one family."""
    by_name = {one.name: one for one in servers}
    print(f"\n{title}")
    head = f"{'server':9}{'rows':>5}{'conn.':>6}{'requests/s':>12}{'cpu ms':>9}"
    print(f"{head}{'x bare':>9}{'cpu':>8}{'x mlflow':>10}{'cpu':>8}")
    for key in servers[0].rates:
        for one in servers:
            rate, cpu = median(one.rates[key]), median(one.cpu[key])
            line = f"{one.name:9}{key[1]:5}{key[0]:6}{rate:12,.0f}{cpu:9.3f}"
            for peer, width in (("bare", 9), ("mlflow", 10)):
                other = by_name.get(peer)
                if other is None:
                    line += " " * (width + 8)
                    continue
                line += f"{rate / median(other.rates[key]):{width}.2f}"
                line += f"{median(other.cpu[key]) / max(cpu, 1e-9):8.2f}"
            print(line)
    print(f"{'server':9}{'start s':>9}{'memory MB':>11}{'errors':>8}")
    for one in servers:
        print(f"{one.name:9}{one.start:9.2f}{one.memory:11,.0f}{one.errors:8}", flush=True)


def places(args: argparse.Namespace) -> Iterator[tuple[str, Place]]:
    """Yield what to measure: a project's champion, or a model of each family."""
    if args.project:
        project = args.project.resolve()
        slug = next((project / "src").glob("*/serving")).parent.name
        python = args.python or project / ".venv/bin/python"
        found = {"champion": project / "models/champion"}
    else:
        work = args.work.resolve()
        work.mkdir(parents=True, exist_ok=True)
        slug, python = fitted.SLUG, args.python or fitted.environment(work / "environment")
        project = fitted.bake(work, python)
        found = {f: fitted.fit(project, python, f, args.blend_seconds) for f in args.families}
    for family, bundle in found.items():
        peers = project / "peers" / bundle.name
        peers.mkdir(parents=True, exist_ok=True)
        fitted.run([python, PEER, slug, "describe", bundle, peers / "facts.json"], project)
        facts = json.loads((peers / "facts.json").read_text())
        if set(args.servers) & set(USUAL) and not (peers / "mlflow").exists():
            fitted.run([python, PEER, slug, "fit", bundle, peers], project)
        yield family, Place(project, slug, python, bundle, args.bentoml, facts)


def arguments() -> argparse.Namespace:
    """Return what was asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--project", type=Path, help="measure the champion of this project instead")
    parser.add_argument("--python", type=Path, help="of a generated project; made if not given")
    parser.add_argument("--bentoml", type=Path, help="a Python with bentoml")
    parser.add_argument("--work", type=Path, default=Path("bench"), help="where models are kept")
    known = [*fitted.FAMILIES]
    parser.add_argument("--families", nargs="+", default=known, choices=known)
    parser.add_argument("--servers", nargs="+", default=[*SERVERS], choices=SERVERS)
    parser.add_argument("--connections", nargs="+", type=int, default=[1, 16, 64])
    parser.add_argument("--rows", nargs="+", type=int, default=[1, 100], help="of a request")
    parser.add_argument("--rounds", type=int, default=3, help="of each; the median counts")
    parser.add_argument("--seconds", type=float, default=3, help="of one round of one server")
    parser.add_argument("--blend-seconds", type=float, default=20, help="that tune may search")
    parser.add_argument(
        "--cores", nargs=2, type=int, default=[0, 1], help="of the server and of wrk"
    )
    parser.add_argument(
        "--quick", action="store_true", help="linear, ours, bare and raw, one second each"
    )
    args = parser.parse_args()
    if args.quick:
        args.families, args.servers = ["linear"], ["ours", "bare", "raw"]
        args.connections, args.rows, args.rounds, args.seconds = [16], [1], 1, 1
    if args.bentoml is None:
        args.servers = [name for name in args.servers if name != "bentoml"]
    else:
        args.bentoml = args.bentoml.absolute()
    args.python = args.python and args.python.absolute()
    return args


def main() -> None:
    """Measure and print."""
    args = arguments()
    for program, remedy in (("wrk", "apt-get install wrk"), ("taskset", "use Linux")):
        if not shutil.which(program):
            sys.exit(f"{program} is not on the path: {remedy}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended; so are the servers"))
    for family, place in places(args):
        kind = "plain numbers" if place.facts["compiled"] else "scikit-learn scores it"
        title = f"{family} ({place.facts['model']}; {kind})"
        report(title, compare(place, args.servers, args))


if __name__ == "__main__":
    main()
