"""What `serving.py --bentoml` serves: the usual pipeline in a service of BentoML."""

# mypy: disable-error-code="import-not-found,import-untyped,untyped-decorator"

import os
from pathlib import Path
from typing import Any

import bentoml
import joblib
import pandas as pd


@bentoml.service(workers=1)
class Usual:
    """A pipeline of scikit-learn."""

    def __init__(self) -> None:
        self.pipeline = joblib.load(Path(os.environ["BENCHED"]) / "pipeline.joblib")

    @bentoml.api
    def predict(self, rows: list[dict[str, Any]]) -> dict[str, Any]:
        """Score rows."""
        return {"predictions": self.pipeline.predict_proba(pd.DataFrame(rows)).tolist()}
