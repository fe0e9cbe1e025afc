import json
import os
import subprocess
import sys
import urllib.request

import made_up
import pytest
import servers

from {{cookiecutter.project_slug}} import tracking


def test_a_started_server_gives_the_answers_of_the_pipeline(finished, champion, typed, contract):
    some = typed.head(20)
    with servers.running(finished, tracking.NAME, "serve") as server:
        request = urllib.request.Request(
            f"{server.address}/predict",
            json.dumps({"rows": made_up.requests(some, contract)}).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request) as response:
            answer = json.load(response)
    expected = champion.score_table(some).values
    for found, values in zip(answer["predictions"], expected.tolist(), strict=True):
        assert values == (
            [*found["probabilities"].values()] if contract.classes else found["value"]
        )


def test_the_server_alone_needs_nothing_of_the_pipeline(finished):
    """What requirements-serve.lock leaves out is not imported."""
    absent = ("dvc", "jinja2", "matplotlib", "mlflow", "onnx", "optuna", "pandas", "pandera")
    absent += ("scipy", "sklearn", "skops", "typer")
    code = f"""
import sys
class Absent:
    def find_spec(self, name, *rest):
        if name.partition(".")[0] in {absent}:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Absent())
from {tracking.NAME}.serving import app, settings
app.create_app(settings.Settings.load())
"""
    subprocess.run([sys.executable, "-c", code], cwd=finished, check=True)


@pytest.mark.parametrize("name", ["linear", "boosting"])
def test_a_server_of_a_compiled_model_is_small(tmp_path, name):
    made, frame = made_up.bundled("binary", tmp_path / "model", family=name)
    rows = made_up.requests(frame, made.contract)
    with servers.running(tmp_path, champion="model") as server:
        for path, body in (
            ("/predict", json.dumps({"rows": rows[:1]}).encode()),
            ("/predict", json.dumps({"rows": rows}).encode()),
            ("/predict", json.dumps({"rows": rows[:1], "explain": True}).encode()),
            ("/invocations", json.dumps({"dataframe_records": rows}).encode()),
        ):
            answer = server.send(servers.post(path, body, "content-type: application/json"))
            assert servers.parsed(answer)[0] == 200
        assert server.peak() < 100  # megabytes


@pytest.mark.parametrize("module", [f"{tracking.NAME}.serving", tracking.NAME])
def test_a_server_without_a_champion_ends_with_one_message(bare, module):
    command = [sys.executable, "-m", module, *(["serve"] if "." not in module else [])]
    ended = subprocess.run(command, cwd=bare, capture_output=True, text=True)
    assert ended.returncode
    assert ended.stderr.startswith("error: ")
    assert "make run" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("API_KEYS", "secret", "JSON list"),
        ("API_KEYS", '[""]', "1 character"),
        ("PORT", "x", "'x'"),
    ],
)
def test_a_setting_that_cannot_be_ends_with_one_message(finished, name, value, said):
    command = [sys.executable, "-m", f"{tracking.NAME}.serving"]
    environment = {**os.environ, "PYTHONPATH": str(finished / "src"), f"PROJECT_{name}": value}
    ended = subprocess.run(command, cwd=finished, env=environment, capture_output=True, text=True)
    assert ended.returncode
    assert ended.stderr.startswith(f"error: PROJECT_{name}") and said in ended.stderr
    assert "Traceback" not in ended.stderr and "secret" not in ended.stderr
