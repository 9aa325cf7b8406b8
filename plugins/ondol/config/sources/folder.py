"""Source `folder`: a folder of this machine, or a volume that is mounted there."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator

from ondol.config.fields import Fault, Wrong, check_placeholders
from ondol.config.sources.base import SourceModel, check_below, check_glob, check_inside


class FolderSource(SourceModel):
    """A folder that files appear in.

    Args:
        type: which kind of source.
        path: the folder, relative to ONDOL_HOME unless absolute. {date} in it (2026-01-05) makes each run read the
            folders of its own data interval, and that date is when the files arrived; without it, each run takes what
            no run has taken yet, and a file arrived when it was last changed.
        pattern: a glob below the folder; ** stands for any depth.
        settle_seconds: a file is taken once it has not changed for so long; one that still grows then waits for the
            next run.
        archive: a folder within `path` that each file moves to once it is safely stored.
    """

    type: Literal["folder"]
    path: Annotated[str, AfterValidator(check_inside)] = Field(min_length=1)
    pattern: Annotated[str, AfterValidator(check_glob)] = Field(default="**/*", min_length=1)
    settle_seconds: float = Field(default=1, ge=0, le=3600)
    archive: Annotated[str, AfterValidator(check_below)] | None = Field(default=None, min_length=1)

    @field_validator("path")
    @classmethod
    def _knows_its_placeholders(cls, value: str) -> str:
        check_placeholders(value, ["date"])
        return value

    @model_validator(mode="after")
    def _keeps_its_days(self) -> FolderSource:
        if self.archive and "{date}" in self.path:
            message = (
                "'archive' would empty the folder of a day that may be run again: leave it out, or {date} in 'path'"
            )
            raise Wrong(Fault(message, at=("archive",)))
        return self
