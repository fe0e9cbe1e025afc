"""The container holds the server, its model and nothing else."""

import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from string import Template

import pytest
from helpers import everything_in, get

HADOLINT = Path(sys.executable).parent / "hadolint"


def instructions(project: Path) -> list[tuple[str, str]]:
    """Each instruction of the Dockerfile with its arguments."""
    text = (project / "deploy" / "Dockerfile").read_text("utf-8")
    lines = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", " ").splitlines()
    return [
        (word, rest.strip()) for word, _, rest in (line.partition(" ") for line in lines if line)
    ]


def patterns(project: Path) -> list[str]:
    """The lines of .dockerignore."""
    lines = (project / ".dockerignore").read_text("utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def test_hadolint_finds_nothing(bake_default: Path) -> None:
    command = [str(HADOLINT), "--no-color", str(bake_default / "deploy" / "Dockerfile")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_what_is_copied_exists_and_is_let_in(bake_default: Path) -> None:
    copies = [rest.split() for word, rest in instructions(bake_default) if word == "COPY"]
    sources = {s for words in copies if "--from" not in words[0] for s in words[:-1]}
    made_by_the_pipeline = {"models"}
    assert all((bake_default / source).exists() for source in sources - made_by_the_pipeline)
    first, *others = patterns(bake_default)
    assert first == "*"
    assert {line.removeprefix("!") for line in others if line.startswith("!")} == sources


def test_it_does_not_run_as_root(bake_default: Path) -> None:
    (user,) = [rest for word, rest in instructions(bake_default) if word == "USER"]
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user)


@dataclass
class Image:
    """What the Dockerfile comes to, in a folder that stands for the root of the container."""

    root: Path
    workdir: Path = Path()
    environment: dict[str, str] = field(default_factory=dict)
    command: list[str] = field(default_factory=list)
    health: list[str] = field(default_factory=list)

    def inside(self, text: str) -> str:
        """Turn the absolute paths of the Dockerfile into paths in this folder."""
        return re.sub(r"(?<![\w./])/(?=(app|build|opt)\b)", f"{self.root}/", text)

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=self.workdir, env=self.environment, text=True, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip


def build(project: Path, root: Path) -> Image:
    """Follow the Dockerfile as an engine does, as far as a folder and a bare Python can."""
    context, bare = root / "context", root / "usr"
    let_in(project, context)
    subprocess.run([sys.executable, "-m", "venv", str(bare)], check=True)
    image = Image(root)
    for word, rest in instructions(project):
        match word:
            case "FROM":
                image.workdir = root
                image.environment = {"PATH": f"{bare / 'bin'}:/usr/bin:/bin"}
            case "ENV":
                for name, value in re.findall(r"(\w+)=(\S+)", image.inside(rest)):
                    image.environment[name] = Template(value).substitute(image.environment)
            case "WORKDIR":
                image.workdir = Path(image.inside(rest))
                image.workdir.mkdir(parents=True, exist_ok=True)
            case "COPY":
                source, target = image.inside(rest).split()[-2:]
                copy(context / source, image.workdir / target)
            case "RUN":
                done = image.run("sh", "-c", image.inside(rest))
                assert done.returncode == 0, done.stdout
            case "HEALTHCHECK":
                image.health = json.loads(rest.partition("CMD ")[2])
            case "CMD":
                image.command = json.loads(rest)
            case _:
                assert word in ("USER", "EXPOSE"), word
    # What the last stage does not copy is not there.
    shutil.rmtree(context)
    shutil.rmtree(root / "build")
    return image


def let_in(project: Path, context: Path) -> None:
    """Copy what .dockerignore lets in; its first line keeps everything out."""
    context.mkdir()
    for pattern in patterns(project)[1:]:
        if pattern.startswith("!"):
            copy(project / pattern[1:], context / pattern[1:])
        else:
            for path in list(context.glob(pattern)):
                shutil.rmtree(path)


def copy(source: Path, target: Path) -> None:
    """COPY: the content of a folder into a folder, links as links."""
    if source.is_dir() and source != target:
        shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True)
    elif source.is_file():
        shutil.copy(source, target)


@pytest.fixture(scope="module")
def image(project: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Image:
    return build(project("healthcare"), tmp_path_factory.mktemp("container"))


@pytest.fixture
def server(image: Image) -> Iterator[str]:
    """The address of the container's server, once its health check passes."""
    address = "http://127.0.0.1:8000"
    assert image.run(*image.health).returncode == 1, "port 8000 is taken: stop what listens there"
    process = subprocess.Popen(image.command, cwd=image.workdir, env=image.environment)
    try:
        deadline = time.monotonic() + 60
        while image.run(*image.health).returncode:
            assert process.poll() is None and time.monotonic() < deadline, "it does not get ready"
            time.sleep(0.2)
        yield address
    finally:
        process.terminate()
        process.wait(20)


@pytest.mark.slow
def test_the_container_predicts_and_writes_nothing(image: Image, server: str) -> None:
    before = everything_in(image.workdir)
    route = get(f"{server}/openapi.json")["paths"]["/predict"]["post"]
    schema = route["requestBody"]["content"]["application/json"]["schema"]
    (prediction,) = get(f"{server}/predict", schema["examples"][0])["predictions"]
    assert sum(prediction["probabilities"].values()) == pytest.approx(1)
    assert everything_in(image.workdir) == before


@pytest.mark.slow
def test_the_container_holds_one_version_of_the_model(image: Image) -> None:
    assert [path.name for path in (image.workdir / "models").iterdir()] == ["champion"]
    assert not (image.workdir / "models" / "champion").is_symlink()


@pytest.mark.slow
def test_the_container_is_without_what_only_the_pipeline_needs(image: Image) -> None:
    names = ["pandas", "mlflow", "dvc", "pyarrow", "matplotlib", "optuna", "pip", "sklearn"]
    script = "import sys, importlib.util as u; print([n for n in sys.argv[1:] if u.find_spec(n)])"
    assert image.run("python", "-c", script, *names).stdout == "['sklearn']\n"
