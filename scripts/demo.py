"""Shows the whole life of a project: generate, run, serve, predict.

python scripts/demo.py FOLDER [ANSWER=VALUE ...]
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

from cookiecutter.exceptions import CookiecutterException
from cookiecutter.main import cookiecutter

TEMPLATE = Path(__file__).parents[1]
PATIENCE = 60  # seconds until the server must answer


def step(title: str) -> None:
    """Announce what comes next."""
    print(f"\n\033[1m{title}\033[0m", flush=True)


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def get(url: str, body: Any = None) -> Any:
    """Send a request; returns the JSON of the answer."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def wait_until_ready(url: str, server: subprocess.Popen[bytes]) -> None:
    """Wait until the server is ready, or exit when it ends or takes too long."""
    deadline = time.monotonic() + PATIENCE
    while server.poll() is None and time.monotonic() < deadline:
        try:
            get(f"{url}/health/ready")
            return
        except OSError:
            time.sleep(0.2)
    sys.exit(f"the server did not answer within {PATIENCE} seconds")


def example_request(openapi: dict[str, Any]) -> Any:
    """Return the example that the server documents for POST /predict."""
    content = openapi["paths"]["/predict"]["post"]["requestBody"]["content"]
    return content["application/json"]["schema"]["examples"][0]


def ask(project: Path) -> tuple[Any, Any]:
    """Serve the project's champion; returns an example request and the answer to it."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = ["make", "--silent", "serve", f"PORT={port}"]
    with subprocess.Popen(
        command, cwd=project, stderr=subprocess.DEVNULL, start_new_session=True
    ) as server:
        try:
            wait_until_ready(url, server)
            request = example_request(get(f"{url}/openapi.json"))
            return request, get(f"{url}/predict", request)
        finally:
            os.killpg(server.pid, signal.SIGTERM)


def main() -> None:
    """Generate, run, serve, predict; exits with 0 only if all of it worked."""
    folder, *answers = sys.argv[1:]
    started = time.monotonic()
    step("1  Generate a project")
    try:
        context = dict(answer.split("=", 1) for answer in answers)
        project = Path(
            cookiecutter(str(TEMPLATE), no_input=True, output_dir=folder, extra_context=context)
        )
    except (CookiecutterException, ValueError) as error:
        sys.exit(
            f"{error}\nRemove the folder, or choose another with OUT=…; answers are NAME=VALUE."
        )
    print(project)
    step("2  Install, then run every stage up to a released model")
    subprocess.run(["make", "--silent", "setup"], cwd=project, check=True)
    ran = subprocess.run(["make", "--silent", "run"], cwd=project, check=False)
    if ran.returncode:
        sys.exit("make run did not work; see above")
    step("3  Serve it and ask for a prediction")
    request, answer = ask(project)
    print(f"POST /predict\n{json.dumps(request, indent=2, ensure_ascii=False)}")
    print(f"\nanswer\n{json.dumps(answer, indent=2, ensure_ascii=False)}")
    try:
        place = project.relative_to(Path.cwd())
    except ValueError:
        place = project
    step(f"Done in {time.monotonic() - started:.0f} seconds. Look further:")
    print(f"  report   {place}/reports/report.html")
    print(f"  serve    make -C {place} serve     then http://localhost:8000")
    print(f"  runs     make -C {place} ui        then http://localhost:5000")


if __name__ == "__main__":
    main()
