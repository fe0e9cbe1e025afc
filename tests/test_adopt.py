"""Two commands bring a generated project to a model of another table."""

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers import TEMPLATE, get, make, serving

pytestmark = pytest.mark.slow


SOURCE = TEMPLATE / "{{cookiecutter.project_slug}}/examples/technology/data/hpc_jobs.csv"


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """The jobs of the technology example as another program might write them."""
    with SOURCE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))[:1500]
    columns = {"cookiecutter": "compounds", "class": "input_fields", "Größe, €": "iterations"}
    path = tmp_path / "eine Tabelle ü.csv"
    with path.open("w", encoding="cp1252", newline="") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(["job id", *columns, "protocol", "how long?"])
        for number, row in enumerate(rows):
            cells = [row[name] for name in columns.values()]
            cells[2] = cells[2].replace(".", ",") + " €"
            speed = {"VF": "fast", "F": "fast"}.get(row["class"], "slow")
            writer.writerow([f"j{number}", *cells, row["protocol"] or "?", speed])
    return path


def test_another_table_is_adopted_run_and_served(
    project: Callable[[str], Path], table: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "healthcare_project"
    shutil.copytree(project("healthcare"), folder, symlinks=True)
    params = folder / "params.yaml"
    params.write_text(params.read_text().replace("seconds: 30", "seconds: 5"))
    shown = make(folder, "adopt", f"DATA={table}", "TARGET=how long?")
    for told in ("job id", "an id: every value is another", "task binary", "reports/profile.html"):
        assert told in shown
    assert "Größe, €" in (folder / "reports" / "profile.html").read_text("utf-8")
    assert "reports/report.html" in make(folder, "run")
    metrics = json.loads((folder / "reports" / "metrics.json").read_text())
    assert metrics["metrics"]["roc_auc"]["low"] > 0.6
    row = {"cookiecutter": 100, "class": 50, "Größe, €": 20, "protocol": "E"}
    with serving(folder) as url:
        answer = get(f"{url}/predict", {"rows": [row]})
    assert set(answer["predictions"][0]["probabilities"]) == {"fast", "slow"}
