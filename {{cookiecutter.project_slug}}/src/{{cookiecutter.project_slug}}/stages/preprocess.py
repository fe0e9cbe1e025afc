"""preprocess: check the rows, clean them and split them. Nothing is learned here."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from .. import files
from ..config import Params
from ..contract import Contract
from ..contract.table import check
from ..errors import InputError


@dataclass(frozen=True)
class Prepared:
    """The outcome of the stage."""

    train: pd.DataFrame
    test: pd.DataFrame
    quarantine: pd.DataFrame
    counts: dict[str, int]


def prepare(table: pd.DataFrame, contract: Contract, params: Params) -> Prepared:
    """Check, clean and split a raw table.

    Raises:
        InputError: columns are missing, too many rows break the contract, or what is left cannot
            be modelled.
    """
    contract.require(params.task)
    require_rows(table)
    checked = check(table, contract)
    share = len(checked.invalid) / len(table)
    if share > params.preprocess.max_invalid:
        reasons = checked.invalid["reason"].value_counts().head(3)
        shown = "; ".join(f"{reason} ({count} rows)" for reason, count in reasons.items())
        raise InputError(
            f"{len(checked.invalid)} of {len(table)} rows ({share:.1%}) break contract.yaml, more "
            f"than preprocess.max_invalid in params.yaml allows "
            f"({params.preprocess.max_invalid:.1%}). Most often: {shown}. "
            "Mend the data, the contract or the limit"
        )
    known, train, test = divide(checked.valid, contract, params)
    counts = {
        "rows": len(table),
        "invalid": len(checked.invalid),
        "without_target": len(checked.valid) - len(known),
        "duplicates": len(known) - len(train) - len(test),
        "train": len(train),
        "test": len(test),
    }
    return Prepared(train, test, checked.invalid, counts)


def require_rows(table: pd.DataFrame) -> None:
    """Check that a raw table is more than its header.

    Raises:
        InputError: it is not.
    """
    if table.empty:
        raise InputError("the table has no rows; check what the source gives")


def divide(
    valid: pd.DataFrame, contract: Contract, params: Params
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Clean and split the rows that keep the contract.

    Returns:
        The rows with a target, and of these (of equal ones one alone, unless params.yaml keeps
        duplicates) the ones for train and for test.

    Raises:
        InputError: they cannot be modelled.
    """
    known = valid.dropna(subset=[contract.target])
    if known.empty:
        raise InputError(
            f"no row has a target: {contract.target} is missing in all {len(valid)} rows that keep "
            "contract.yaml"
        )
    if not known[list(contract.features)].notna().any(axis=None):
        raise InputError("no feature has a value in any row with a target: nothing can predict it")
    rows = known.reset_index(drop=True)
    if params.preprocess.duplicates == "remove":
        rows = rows.drop_duplicates(ignore_index=True)
    train, test = split(rows, contract, params.preprocess.test_size, params.seed)
    _refuse_hopeless(train, test, contract)
    return known, train, test


def split(
    rows: pd.DataFrame, contract: Contract, test_size: float, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Split rows into train and test.

    With a column of role time the latest rows are the test. Otherwise a hash of each row (or of
    its group) decides, so that a row keeps its side when others are appended (but for those of a
    class that is too rare to be on both sides by chance).
    """
    time, group = contract.name("time"), contract.name("group")
    if time:
        rows = rows.sort_values(time, kind="stable", ignore_index=True)
        start = rows[time].iloc[min(int(len(rows) * (1 - test_size)), len(rows) - 1)]
        is_test = (rows[time] >= start).to_numpy()
    else:
        fraction = _fraction(rows, group, seed)
        is_test = fraction < test_size
        if contract.classes and not group:
            is_test = _stratified(fraction, rows[contract.target], test_size)
    return (
        rows[~is_test].reset_index(drop=True),
        rows[is_test].reset_index(drop=True),
    )


def _fraction(rows: pd.DataFrame, group: str | None, seed: int) -> np.ndarray:
    """Return a number in [0, 1) for each row that depends on its content, or group, alone.

    Without a group each of several equal rows has another one: they are cases like any others. On
    one side together they would leave the other side those with the other outcome.
    """
    if group:
        return _hashed(rows[[group]], str(seed)) / 2.0**64
    content = rows[sorted(rows.columns)]
    hashed = _hashed(content, str(seed)).copy()
    copies = pd.Series(hashed).groupby(hashed).cumcount()
    again = copies.to_numpy() > 0
    salts = f"{seed} " + copies[again].astype(str)
    hashed[again] = _hashed(content[again], salts.to_numpy())
    return hashed / 2.0**64


def _hashed(content: pd.DataFrame, salt: str | np.ndarray) -> np.ndarray:
    # The salt as one more column, since pandas' hash key concerns text alone.
    return pd.util.hash_pandas_object(content.assign(**{"\0": salt}), index=False).to_numpy()


def _stratified(fraction: np.ndarray, y: pd.Series, test_size: float) -> np.ndarray:
    """Return which rows are for the test: a share of each class.

    One row of a class at least, and never all of them: half of what training should have stays.
    """
    is_test = fraction < test_size
    for label in y.unique():
        members = np.flatnonzero(y == label)
        members = members[fraction[members].argsort(kind="stable")]
        most = int(len(members) * (1 + test_size) / 2)
        is_test[members[:1]] = most > 0
        is_test[members[most:]] = False
    return is_test


def _refuse_hopeless(train: pd.DataFrame, test: pd.DataFrame, contract: Contract) -> None:
    for name, part in (("training", train), ("test", test)):
        if part.empty:
            raise InputError(
                f"no {name} rows are left after the split; collect more rows, or change "
                "preprocess.test_size in params.yaml"
            )
    if train[contract.target].nunique() < 2:
        only = train[contract.target].iloc[0]
        raise InputError(
            f"the target {contract.target} is {only!r} in every training row: there is nothing to "
            "predict; collect rows with other outcomes"
        )


def main() -> None:
    """Turn the collected table into train, test and quarantine."""
    params, contract = Params.load(), Contract.load()
    prepared = prepare(pd.read_parquet(files.RAW_TABLE), contract, params)
    with files.replacing(files.SPLIT) as scratch:
        scratch.mkdir()
        prepared.train.to_parquet(scratch / files.TRAIN.name)
        prepared.test.to_parquet(scratch / files.TEST.name)
        prepared.quarantine.to_csv(scratch / files.QUARANTINE.name, index=False)
        files.write_json(scratch / files.SPLIT_RECORD.name, prepared.counts)
    counts = prepared.counts
    print(
        f"{counts['train']:,} rows to train, {counts['test']:,} to test; left out: "
        f"{counts['invalid']} invalid, {counts['without_target']} without target, "
        f"{counts['duplicates']} duplicates"
    )
