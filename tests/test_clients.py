"""A served project, asked by the clients that people have."""

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from helpers import get, serving

pytestmark = pytest.mark.slow

CLIENTS = ["schemathesis>=4.32", "tritonclient[http]>=2.60"]
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance"
CHECKS += ",response_headers_conformance,response_schema_conformance,unsupported_method"

# Print the probabilities (or values) that a client gets.
TRITON = """
import sys
import json
import numpy as np
from tritonclient import http
url, model = sys.argv[1:]
columns, binary = json.load(sys.stdin)
client = http.InferenceServerClient(url.removeprefix("http://"))
assert client.is_server_live() and client.is_server_ready() and client.is_model_ready(model)
known = [one["name"] for one in client.get_model_metadata(model)["inputs"]]
assert known == list(columns), known
inputs = []
for name, (kind, cells) in columns.items():
    tensor = http.InferInput(name, [len(cells)], kind)
    dtype = object if kind == "BYTES" else np.float64 if kind == "FP64" else None
    dtype = np.bool_ if kind == "BOOL" else np.int64 if kind == "INT64" else dtype
    tensor.set_data_from_numpy(np.array(cells, dtype=dtype), binary_data=binary)
    inputs.append(tensor)
names = [one["name"] for one in client.get_model_metadata(model)["outputs"]]
outputs = [http.InferRequestedOutput(name, binary_data=binary) for name in names]
answer = client.infer(model, inputs, request_id="7", outputs=outputs)
assert answer.get_response()["id"] == "7"
name = "probabilities" if "probabilities" in names else "value"
print(json.dumps(answer.as_numpy(name).tolist()))
"""
MLFLOW = """
import json
import os
import sys
import pandas as pd
from mlflow.pyfunc.scoring_server.client import ScoringServerClient
url = sys.argv[1]
columns = json.load(sys.stdin)
table = pd.DataFrame(columns)
client = ScoringServerClient(*url.removeprefix("http://").split(":"))
client.ping()
client.wait_server_ready(timeout=5)
answer = client.invoke(table).get_predictions()
key = "probabilities" if "probabilities" in answer else "value"
said = answer[key].tolist()
print(json.dumps([[*one.values()] if isinstance(one, dict) else one for one in said]))
"""


@pytest.fixture(scope="module", params=["healthcare", "ecommerce"])
def served(
    request: pytest.FixtureRequest, project: Callable[[str], Path]
) -> Iterator[tuple[Path, str]]:
    """A run project that is served, and where."""
    folder = project(request.param)
    with serving(folder) as url:
        yield folder, url


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the clients alone."""
    folder = tmp_path_factory.mktemp("clients") / "venv"
    subprocess.run(["uv", "venv", "--quiet", str(folder)], check=True)
    install = ["uv", "pip", "install", "--quiet", "--python", str(folder)]
    subprocess.run([*install, *CLIENTS], check=True)
    return folder / "bin"


def rows(url: str) -> list[dict[str, Any]]:
    """The examples that the server gives, a few of each."""
    examples: list[dict[str, Any]] = get(f"{url}/model")["examples"]
    return examples


def expected(url: str) -> list[Any]:
    said = get(f"{url}/predict", {"rows": rows(url)})["predictions"]
    return [[*one["probabilities"].values()] if "label" in one else one["value"] for one in said]


def tensors(url: str) -> dict[str, tuple[str, list[Any]]]:
    """The examples as tensors; a missing cell is NaN, or an empty text."""
    found = {}
    for one in get(f"{url}/v2/models/{get(f'{url}/v2')['name']}")["inputs"]:
        kind, cells = one["datatype"], [row.get(one["name"]) for row in rows(url)]
        if kind == "BYTES":
            cells = ["" if cell is None else cell for cell in cells]
        elif None in cells:
            kind, cells = "FP64", [float("nan") if cell is None else float(cell) for cell in cells]
        found[one["name"]] = (kind, cells)
    return found


def said_by(python: Path, code: str, arguments: list[str], given: Any) -> Any:
    """Run a client; returns the JSON that it prints last."""
    done = subprocess.run(
        [str(python), "-c", code, *arguments],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("binary", [True, False])
def test_tritons_client_gets_the_same_numbers(
    served: tuple[Path, str], programs: Path, binary: bool
) -> None:
    folder, url = served
    found = said_by(programs / "python", TRITON, [url, folder.name], [tensors(url), binary])
    assert found == expected(url)


def test_mlflows_own_client_gets_the_same_numbers(served: tuple[Path, str]) -> None:
    folder, url = served
    columns = {name: [row.get(name) for row in rows(url)] for name in tensors(url)}
    found = said_by(folder / ".venv/bin/python", MLFLOW, [url], columns)
    assert found == expected(url)


def test_curl_sends_a_table_and_reads_the_faults(served: tuple[Path, str], tmp_path: Path) -> None:
    _, url = served
    table = tmp_path / "rows.csv"
    columns = list(tensors(url))
    lines = [",".join(str(row.get(name, "")) for name in columns) for row in rows(url)]
    table.write_text("\n".join([",".join(columns), *lines]))

    def curl(*arguments: str) -> tuple[int, Any]:
        told = ["curl", "--silent", "--write-out", "\n%{http_code}", *arguments]
        done = subprocess.run(told, capture_output=True, text=True, check=True)
        body, _, status = done.stdout.rpartition("\n")
        return int(status), json.loads(body)

    kind = ["--header", "content-type: text/csv", "--data-binary", f"@{table}"]
    status, answer = curl(*kind, f"{url}/invocations")
    said = answer["predictions"]
    found = [[*one["probabilities"].values()] if "label" in one else one["value"] for one in said]
    assert (status, found) == (200, expected(url))
    status, answer = curl("--json", '{"rows": [{"surplus": 1}]}', f"{url}/predict")
    assert status == 422
    assert {"row": 0, "column": "surplus"}.items() <= answer["errors"][-1].items()
    assert curl("--request", "PUT", f"{url}/predict")[0] == 405


def test_schemathesis_finds_no_answer_that_the_documentation_does_not_have(
    served: tuple[Path, str], programs: Path
) -> None:
    _, url = served
    command = [str(programs / "schemathesis"), "run", f"{url}/openapi.json", "--checks", CHECKS]
    command += ["--max-examples", "50", "--seed", "1", "--phases", "examples,coverage,fuzzing"]
    command += ["--continue-on-failure", "--no-color", "--suppress-health-check", "all"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=400)
    assert done.returncode == 0, done.stdout[-5000:]
