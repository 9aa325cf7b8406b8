"""Every kind of source; its `type` says which model reads it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ondol.config.sources.folder import FolderSource
from ondol.config.sources.gcs import GcsSource
from ondol.config.sources.sftp import SftpSource

Source = Annotated[
    FolderSource | GcsSource | SftpSource,
    Field(discriminator="type"),
]
