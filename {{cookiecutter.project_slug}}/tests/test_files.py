import hashlib

import pytest
from released import NAME, start

from {{cookiecutter.project_slug}} import files


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_is_replaced_changes_whole_or_not_at_all(tmp_path, kind):
    path = tmp_path / "deep/thing"

    def write(text):
        with files.replacing(path) as scratch:
            if kind == "folder":
                scratch.mkdir()
            (scratch / "inside" if kind == "folder" else scratch).write_text(text)
            if text == "bad":
                raise RuntimeError

    def read():
        return (path / "inside" if kind == "folder" else path).read_text()

    write("first")
    write("second")
    with pytest.raises(RuntimeError):
        write("bad")
    assert read() == "second"
    assert [child.name for child in path.parent.iterdir()] == ["thing"]


def test_json_is_written_and_read_but_not_nan(tmp_path):
    files.write_json(tmp_path / "a.json", {"ü": [1, None]})
    with pytest.raises(ValueError, match="JSON"):
        files.write_json(tmp_path / "a.json", float("nan"))
    assert files.read_json(tmp_path / "a.json") == {"ü": [1, None]}


def test_a_digest_is_the_sha_256_of_the_bytes(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert files.sha256(tmp_path / "a") == hashlib.sha256(b"abc").hexdigest()


def test_a_link_is_moved_in_one_step_and_stays_relative(tmp_path):
    for name in ("one", "two"):
        (tmp_path / "versions" / name).mkdir(parents=True)
        files.point(tmp_path / "current", tmp_path / "versions" / name)
    assert (tmp_path / "current").readlink().as_posix() == "versions/two"


def test_a_folder_that_is_settled_is_as_it_was(tmp_path):
    (tmp_path / "kept").write_text("x")
    files.settle(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


def test_scratch_folders_of_killed_processes_are_swept_and_others_are_not(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports/.old.x.scratch").mkdir()
    with files.replacing(files.METRICS) as scratch:
        assert files.sweep() == [files.REPORTS / ".old.x.scratch"]
        scratch.write_text("{}")
    assert [path.name for path in files.REPORTS.iterdir()] == ["metrics.json"]


# In a process for which every file is too large, so that also a whole machine seems full.
BOUND = f"""
import resource, shutil, tempfile
from {NAME} import files
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
with files.writing():
"""
UNWRITABLE = {
    "files.write_json(files.METRICS, 1)": "reports/metrics.json: cannot be written (File too",
    "shutil.copytree('from', 'to')": "to/file: cannot be written ([Errno 27] File too large",
    "tempfile.mkdtemp()": "the disk: cannot be written (No usable temporary directory found in",
}


@pytest.mark.parametrize("code", UNWRITABLE)
def test_what_cannot_be_written_is_told_by_the_name_that_it_would_have(tmp_path, code):
    (tmp_path / "from").mkdir()
    (tmp_path / "from/file").write_text("x")
    _, said = start(tmp_path, "-c", f"{BOUND}    {code}").communicate()
    assert UNWRITABLE[code] in said
    assert "; make room or see to the permissions. What was there before stays" in said
