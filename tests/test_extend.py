"""A change of the generated project touches one place."""

import csv
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers import free_port, get, running

pytestmark = pytest.mark.slow

BLOCK = """
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis  # noqa: E402

MODELS["discriminant"] = Model(
    classifier=LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.1),
    scaled=True,
    selection="variance",
    classifier_portfolio=({"shrinkage": 0.01},),
    classifier_space={"shrinkage": FloatDistribution(0.0, 1.0)},
)
"""


def test_a_model_is_added_by_one_block_and_reaches_the_client(
    project: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = tmp_path / "healthcare_project"
    shutil.copytree(project("healthcare"), folder, symlinks=True)
    catalogue = folder / "src" / folder.name / "models" / "catalogue.py"
    catalogue.write_text(catalogue.read_text() + BLOCK)
    params = folder / "params.yaml"
    text = re.sub(r"  # models: .*", "  models: [dummy, discriminant]", params.read_text())
    params.write_text(text.replace("seconds: 30", "trials: 4"))
    # The shared environment knows the original project; its copy comes first here.
    python = ["env", f"PYTHONPATH={folder / 'src'}", str(folder / ".venv/bin/python"), "-m"]
    ran = subprocess.run(
        [*python, folder.name, "run"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert "discriminant" in ran.stdout
    board = list(csv.DictReader((folder / "reports/leaderboard.csv").open()))
    assert [row["model"] for row in board] == ["discriminant", "dummy"]
    trials = (folder / "reports/trials.csv").read_text()
    assert "model__shrinkage" in trials
    assert "discriminant" in (folder / "reports/report.html").read_text()
    row = {"age": 63, "sex": "male", "chest_pain": "asymptomatic", "hospital": "cleveland"}
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [*python, folder.name, "serve", "--port", str(port)]
    with running(command, folder, f"{url}/health/ready"):
        assert "discriminant" in get(f"{url}/model")["model"]
        answer = get(f"{url}/predict", {"rows": [row]})["predictions"][0]
    assert set(answer) == {"label", "probabilities", "set"}
