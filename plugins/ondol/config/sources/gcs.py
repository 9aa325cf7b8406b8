"""Source `gcs`: objects in a bucket of Cloud Storage that the customer, or a partner, uploads to."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from ondol.config.fields import Bucket
from ondol.config.sources.base import SourceModel, check_glob


class GcsSource(SourceModel):
    """A bucket of Cloud Storage, or a prefix in one, that objects appear in.

    An object is whole from the moment that it is there, and has a new generation whenever it is replaced.

    Args:
        type: which kind of source.
        bucket: gs://bucket or gs://bucket/prefix.
        pattern: a glob below it; ** stands for any depth.
    """

    type: Literal["gcs"]
    bucket: Bucket
    pattern: Annotated[str, AfterValidator(check_glob)] = Field(default="**/*", min_length=1)
