"""Refuses answers that cannot become a working project: one sentence, exit 1, nothing left.

cookiecutter makes the project's folder before this hook runs and removes only the last part of
its path afterwards. So cookiecutter.json lends every slug that is unfit for a folder a name of
its own (`__folder_for_refusal`), and the slug that was asked for arrives as `__asked_slug`.
"""

import json
import keyword
import re
import sys
import unicodedata

# No answer can end this string: in JSON, quotes within values are escaped, and those around
# values never stand three in a row; what is not ASCII is escaped as well.
ANSWERS = json.loads(r"""{{ cookiecutter | jsonify }}""")

LONGEST_SLUG = 40
LONGEST_TEXT = 200

# A name may end in a letter or digit only: packages cannot be called `risk_`.
SLUG = re.compile(r"[a-z]([a-z0-9_]*[a-z0-9])?")
# What the standard library's e-mail parser, and with it the build backend, accepts.
ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
EMAIL = re.compile(rf"{ATOM}(\.{ATOM})*@[\w-]+(\.[\w-]+)*")

# Soft keywords and standard modules of the other Pythons from 3.10 on: the project may run on one.
OTHER_PYTHONS = """
    aifc annotationlib asynchat asyncore audioop binhex cgi cgitb chunk compression crypt distutils
    imghdr imp lib2to3 mailcap msilib nis nntplib ossaudiodev pipes smtpd sndhdr spwd sunau
    telnetlib test type uu xdrlib
"""

# Folders of the project, or of the tools that work in it, and names Windows cannot check out.
FOLDERS = """
    benchmarks build contract data deploy dist docs examples logs mlartifacts mlruns models
    notebooks params pip reports scripts src tests venv
    aux con nul prn
"""

# What the project's lock installs: written by scripts/reserved_names.py, not by hand.
# reserved names: begin
INSTALLED = """
    adbc_driver_duckdb aiohappyeyeballs aiohttp aiohttp_retry aiosignal alembic amqp annotated_doc
    annotated_types antlr4 antlr4_python3_runtime anyio appdirs ast_serialize asyncssh atpublic attr
    attrs billiard blinker cachetools celery certifi cffi cfgv charset_normalizer click
    click_didyoumean click_plugins click_repl cloudpickle colorama colorlog configobj contourpy
    coverage cryptography cycler databricks databricks_sdk dateutil dictdiffer diskcache distlib
    distro docker dotenv dpath duckdb dulwich dvc dvc_data dvc_http dvc_objects dvc_render
    dvc_studio_client dvc_task editables entrypoints execnet fastapi fastapi_offline filelock flask
    flask_cors flatbuffers flatten_dict flufl flufl_lock fonttools frozenlist fsspec funcy git gitdb
    gitpython google google_auth grandalf graphene graphql graphql_core graphql_relay gto gunicorn
    h11 hatchling httpcore2 httptools httpx2 httpx2_jsfetch huey hydra hydra_core hypothesis
    identify idna importlib_metadata iniconfig iterative_telemetry itsdangerous jinja2 joblib
    kiwisolver kombu librt mako markdown_it markdown_it_py markupsafe matplotlib mdurl ml_dtypes
    mlflow mlflow_skinny mlflow_tracing mpl_toolkits msgspec multidict mypy mypy_extensions mypyc
    narwhals networkx nodeenv numpy omegaconf onnx onnxruntime opentelemetry opentelemetry_api
    opentelemetry_proto opentelemetry_sdk opentelemetry_semantic_conventions optuna orjson packaging
    pandas pandera pathspec pil pillow platformdirs pluggy pre_commit prettytable prometheus_client
    prompt_toolkit propcache protobuf psutil public py pyarrow pyasn1 pyasn1_modules pycparser
    pydantic pydantic_core pydantic_settings pydevd_plugins pydot pygit2 pygments pygtrie pylab
    pyparsing pytest pytest_cov pytest_xdist python_dateutil python_discovery python_dotenv pywin32
    pyyaml requests rich ruamel ruamel_yaml ruff scikit_learn scipy scmrepo semver setuptools
    shellingham shortuuid shtab six sklearn skops smmap sortedcontainers sqlalchemy sqlparse sqltrie
    starlette tabulate threadpoolctl tomlkit tqdm trove_classifiers truststore typeguard typer
    typing_extensions typing_inspect typing_inspection tzdata tzlocal urllib3 uv uvicorn uvloop
    validate vine virtualenv voluptuous waitress watchfiles wcwidth websockets werkzeug xdist yaml
    yarl zc zc_lockfile zipp
"""
# reserved names: end

OWNERS = {
    "belongs to Python itself": {
        *sys.stdlib_module_names,
        *keyword.kwlist,
        *keyword.softkwlist,
        *OTHER_PYTHONS.split(),
    },
    "belongs to a package that the project installs": set(INSTALLED.split()),
    "is needed for a folder or tool of the project": set(FOLDERS.split()),
}


def refusal_of_slug(slug: str) -> "str | None":
    """The sentence that refuses the slug, or None."""
    shown = ascii(slug[:60])
    if len(slug) > LONGEST_SLUG:
        return (
            f"project_slug {shown} has {len(slug)} characters: "
            f"choose one of at most {LONGEST_SLUG}."
        )
    if not SLUG.fullmatch(slug):
        return (
            f"project_slug {shown} cannot name a Python package: use lower-case letters, digits "
            f"and underscores between them, a letter first, such as {suggested(slug)!r}."
        )
    # Package indexes read any run of underscores as one.
    name = re.sub("_+", "_", slug)
    for owner, names in OWNERS.items():
        if name in names:
            return f"project_slug {shown} {owner}: choose another, such as 'my_{name}'."
    return None


def suggested(slug: str) -> str:
    """A slug that resembles the one asked for and would be accepted in its place."""
    plain = unicodedata.normalize("NFKD", slug).encode("ascii", "ignore").decode().lower()
    words = "_".join(re.findall("[a-z0-9]+", plain)).lstrip("0123456789_")
    return words if words and not refusal_of_slug(words) else "my_project"


def refusal_of_text(question: str, text: str) -> "str | None":
    """The sentence that refuses a free text, or None: quotes, emoji and any script are welcome."""
    if len(text) > LONGEST_TEXT:
        return f"{question} has {len(text)} characters: shorten it to at most {LONGEST_TEXT}."
    for place, character in enumerate(text, start=1):
        # Control characters, halves of surrogate pairs, line and paragraph separators.
        if unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"}:
            return (
                f"{question} holds a line break, tab or other character that does not print "
                f"({character!a}, number {place}): leave it out."
            )
    if question in {"project_name", "author_name"} and not text.strip():
        return f"{question} is empty: give one, as README and licence need it."
    if question == "author_email" and not EMAIL.fullmatch(text):
        return f"author_email {text[:60]!a} is no address: write it like you@example.com."
    return None


def refusal(answers: "dict[str, str]") -> "str | None":
    """The first sentence that refuses an answer, or None."""
    for question in ("project_name", "description", "author_name", "author_email"):
        sentence = refusal_of_text(question, answers[question])
        if sentence:
            return sentence
    return refusal_of_slug(answers["__asked_slug"])


if __name__ == "__main__":
    sys.exit(refusal(ANSWERS))
