import hashlib

import pytest

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
