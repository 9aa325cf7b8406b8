"""What the service takes and gives, for its OpenAPI document: the models of its JSON, and examples."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field

from converters.intake import LakeFile
from converters.model import ColumnType, State

Cell = str | int | float | bool | None


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ProblemModel(_Model):
    """Something to know about the file: what, where, and what to do."""

    code: str
    message: str
    remedy: str
    where: str | None


class PeriodModel(_Model):
    """What values speak of: the first and the last day, and whether during, as of or up to them."""

    start: dt.date
    end: dt.date
    basis: Literal["during", "as_of", "to_date"]


class ColumnModel(_Model):
    """A column: its letters (null for a label that section rows give), header path, type, unit and what it sums."""

    column: str | None
    path: list[str]
    type: ColumnType
    unit: str | None
    role: Literal["label", "value"]
    subtotal: bool
    sums: list[str]
    period: PeriodModel | None


class RowModel(_Model):
    """A row: its 1-based number in the sheet, or in `sheet` if that is another, and a value for each column."""

    sheet: str | None = Field(default=None)
    row: int
    subtotal: bool
    sums: list[int]
    values: list[Cell]


class TableModel(_Model):
    """A table, with the texts of cells that have no value, and units that differ from their column's, by address."""

    container: list[str]
    sheet: str
    index: int
    area: str
    title: str | None
    notes: list[str]
    period: PeriodModel | None
    columns: list[ColumnModel]
    rows: list[RowModel]
    errors: dict[str, str]
    nulls: dict[str, str]
    captions: dict[str, str]
    cell_units: dict[str, str | None]


class ConversionModel(_Model):
    """What became of a file: `state` says whether there are tables, `problems` what is missing and why."""

    name: str
    sha256: str
    format: str | None
    state: State
    problems: list[ProblemModel]
    notices: list[ProblemModel]
    tables: list[TableModel]


class ErrorModel(BaseModel):
    """An error, as RFC 9457 has it."""

    type: str
    title: str
    status: int
    detail: str
    remedy: str


class Health(BaseModel):
    """Whether the service works."""

    status: str


EXAMPLE = {
    "name": "매출_20260105.xlsx",
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "format": "xlsx",
    "state": "ok",
    "problems": [],
    "notices": [],
    "tables": [
        {
            "container": [], "sheet": "실적", "index": 0, "area": "A3:B5", "title": "지점별 매출",
            "notes": ["(단위: 천원)"], "period": {"start": "2026-01-05", "end": "2026-01-05", "basis": "during"},
            "columns": [
                {"column": "A", "path": ["지점"], "type": "text", "unit": None, "role": "label", "subtotal": False,
                 "sums": [], "period": None},
                {"column": "B", "path": ["매출"], "type": "number", "unit": "천원", "role": "value", "subtotal": False,
                 "sums": [], "period": None},
            ],
            "rows": [
                {"row": 4, "subtotal": False, "sums": [], "values": ["강남", 1200]},
                {"row": 5, "subtotal": True, "sums": [4], "values": ["합계", 1200]},
            ],
            "errors": {}, "nulls": {}, "captions": {}, "cell_units": {},
        }
    ],
}  # fmt: skip

NEEDS_PASSWORD = {
    **EXAMPLE,
    "format": "encrypted",
    "state": "needs_password",
    "problems": [
        {
            "code": "needs_password",
            "message": "매출_20260105.xlsx is encrypted with a password, and none was given.",
            "remedy": "Put its password into the tenant's secrets, or ask the sender for a copy without one.",
            "where": None,
        }
    ],
    "tables": [],
}

REQUEST: dict[str, Any] = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["file"],
                "additionalProperties": False,
                "properties": {
                    "file": {"type": "string", "format": "binary", "description": "The file, with its name."},
                    "name": {"type": "string", "description": "Its name, if it is not the part's file name."},
                    "password": {
                        "type": "array",
                        "items": {"type": "string"},
                        "description": "Tried in turn if the file is encrypted; neither kept nor logged.",
                    },
                },
            }
        },
        "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
        "application/json": {"schema": LakeFile.model_json_schema(ref_template="#/components/schemas/{model}")},
    },
}


def _errors(**described: str) -> dict[int | str, dict[str, Any]]:
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ErrorModel"}}}
    return {int(status[1:]): {"description": text, "content": content} for status, text in described.items()}


ERRORS = _errors(
    _400="the request is wrong",
    _403="the URI is outside of what the service may read",
    _404="there is no such object",
    _406="no form of the answer that is accepted",
    _408="the file did not come in time",
    _413="the file is larger than the limit",
    _415="the body is encoded",
    _502="the lake does not answer",
    _503="all workers are busy and the queue is full: try again after Retry-After seconds",
)
ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "What became of the file, also where it gives no table: `state` says so.",
        "model": ConversionModel,
        "content": {
            "application/x-ndjson": {"schema": {"type": "string", "description": "A fact a line."}},
            "application/zip": {
                "schema": {"type": "string", "format": "binary", "description": "A Parquet file a table."}
            },
            "application/vnd.apache.arrow.stream": {
                "schema": {"type": "string", "format": "binary", "description": "As converters.storage reads it."}
            },
        },
        "headers": {
            "Conversion-State": {"schema": {"type": "string"}, "description": "The state, in every form."},
            "Conversion-Sha256": {"schema": {"type": "string"}, "description": "Of the file's bytes."},
            "Converter-Version": {"schema": {"type": "string"}, "description": "Results of one version are alike."},
        },
    },
    **ERRORS,
}


class Described(FastAPI):
    """An application whose document has what FastAPI cannot say: examples with nulls, and the model of errors."""

    def openapi(self) -> dict[str, Any]:
        """The document."""
        document = super().openapi()
        document["components"]["schemas"]["ErrorModel"] = ErrorModel.model_json_schema()
        answer = document["paths"]["/v1/convert"]["post"]["responses"]["200"]["content"]["application/json"]
        answer["examples"] = {
            "ok": {"summary": "a table", "value": EXAMPLE},
            "needs_password": {"summary": "an encrypted file", "value": NEEDS_PASSWORD},
        }
        return document
