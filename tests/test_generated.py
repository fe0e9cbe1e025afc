"""The generated project, run as its owner would run it, for each example."""

import json
import re
import shlex
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import own_data
import pytest
from helpers import EXAMPLES, get, make, serving
from pushed import commands, commit, run

pytestmark = pytest.mark.slow

# Prints what the released pipeline says of the first test rows as a table, and the rows as JSON.
REFERENCE = """
import json
import pandas as pd
from {slug} import bundle, files
champion = bundle.load(files.CHAMPION)
table = pd.read_parquet(files.TEST).head(200)
rows = table[list(champion.contract.features)]
if champion.contract.classes:
    values = champion.model.predict_proba(rows).tolist()
    classes = [str(label) for label in champion.model.classes_]
    said = [dict(zip(classes, row)) for row in values]
else:
    said = champion.model.predict(rows).tolist()
records = json.loads(rows.to_json(orient="records", date_format="iso", double_precision=15))
exact = rows.astype(object).where(rows.notna(), None).to_dict("records")
for record, values in zip(records, exact):
    for name, value in values.items():
        record[name] = value.isoformat() if hasattr(value, "isoformat") else value
print(json.dumps(dict(rows=records, said=said, labels=champion.model.predict(rows).tolist())))
"""


@pytest.fixture(scope="module", params=EXAMPLES)
def generated(request: pytest.FixtureRequest, project: Callable[[str], Path]) -> Iterator[Path]:
    """A project of each example, run."""
    yield project(request.param)


def reference(project: Path) -> Any:
    code = REFERENCE.format(slug=project.name)
    command = [".venv/bin/python", "-c", code]
    ran = subprocess.run(command, cwd=project, capture_output=True, text=True, check=True)
    return json.loads(ran.stdout)


def test_a_prediction_over_http_is_what_the_pipeline_says(generated: Path) -> None:
    """Up to the last digits, since the server computes with plain numbers, not scikit-learn."""
    expected = reference(generated)
    with serving(generated) as url:
        answer = get(f"{url}/predict", {"rows": expected["rows"]})
    predictions = answer["predictions"]
    assert len(predictions) == len(expected["rows"])
    if "value" in predictions[0]:
        assert [one["value"] for one in predictions] == pytest.approx(expected["said"], rel=1e-9)
    else:
        for one, said in zip(predictions, expected["said"], strict=True):
            assert one["probabilities"] == pytest.approx(said, abs=1e-9)
        assert [one["label"] for one in predictions] == expected["labels"]
    assert answer["model"] == {"name": generated.name, "version": "1"}


def test_a_second_run_runs_nothing_and_shows_the_results(generated: Path) -> None:
    again = make(generated, "run")
    assert "Running stage" not in again
    assert again.count("didn't change, skipping") == 6
    for told in ("Leaderboard", "95% interval", "Gate", "reports/report.html", "models/champion"):
        assert told in again
    metrics = json.loads((generated / "reports" / "metrics.json").read_text())
    assert metrics["gain"]["low"] > 0


def test_every_command_of_its_ci_works(generated: Path) -> None:
    commit(generated)
    for command in commands(generated):
        if command != "make test":  # below
            ran = run(command, generated)
            assert ran.returncode == 0, f"{command}\n{ran.stdout}"


def test_the_tests_of_a_project_pass_and_cover_its_code(project: Callable[[str], Path]) -> None:
    ran = run("make test", project("healthcare"))
    assert ran.returncode == 0, ran.stdout
    covered = re.search(r"Total coverage: ([\d.]+)%", ran.stdout)
    assert covered and float(covered[1]) >= 90


@pytest.mark.parametrize("example", EXAMPLES[1:])
def test_the_tests_that_another_example_can_change_pass_there_too(
    project: Callable[[str], Path], example: str
) -> None:
    plugins = shlex.quote(str(Path(own_data.__file__).parent))
    # In one process: another project is tested beside, and each process makes the fixtures anew.
    own = f"PYTHONPATH={plugins} .venv/bin/pytest -p own_data --no-cov --numprocesses=0"
    ran = run(own, project(example))
    assert ran.returncode == 0, ran.stdout
    kept = re.search(r"(\d+) passed", ran.stdout)
    assert kept and int(kept[1]) > 300, ran.stdout


def test_help_names_every_target(generated: Path) -> None:
    listed = set(re.findall(r"^  make (\w+)", make(generated, "help"), re.MULTILINE))
    phony = re.search(r"^\.PHONY: (.*)$", (generated / "Makefile").read_text(), re.MULTILINE)
    assert phony and listed == set(phony[1].split())
