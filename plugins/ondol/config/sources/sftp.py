"""Source `sftp`: a folder on an SSH server."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from ondol.config.sources.base import SourceModel, check_below, check_glob, check_inside
from ondol.config.sources.ssh import SshServer


class SftpSource(SourceModel):
    """A folder on an SSH server that files appear in.

    Args:
        type: which kind of source.
        server: the server.
        jump: the host that it is reached through, if not directly.
        path: the folder there; below the account's home unless it begins with /.
        pattern: a glob below the folder; ** stands for any depth.
        settle_seconds: a file is taken once it has not changed for so long; one that still grows then waits for the
            next run.
        archive: a folder within `path` that each file moves to once it is safely stored.
        keepalive_seconds: a server that has not answered for three times as long is taken for down.
        timeout_seconds: how long to wait for a connection, and for the answer to one request.
    """

    type: Literal["sftp"]
    server: SshServer
    jump: SshServer | None = None
    path: Annotated[str, AfterValidator(check_inside)] = Field(default=".", min_length=1)
    pattern: Annotated[str, AfterValidator(check_glob)] = Field(default="**/*", min_length=1)
    settle_seconds: float = Field(default=2, ge=0, le=3600)
    archive: Annotated[str, AfterValidator(check_below)] | None = Field(default=None, min_length=1)
    keepalive_seconds: float = Field(default=3, gt=0, le=600)
    timeout_seconds: float = Field(default=30, gt=0, le=600)
