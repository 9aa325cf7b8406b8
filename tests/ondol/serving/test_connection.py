"""Errors of the connection say whether to try again, and never the password."""

from __future__ import annotations

import logging
import traceback

import pytest

from ondol.config.tenant import SyncTable
from ondol.errors import FatalError, OndolError, Rejected, RetriableError
from ondol.serving.connection import redacted, transaction
from ondol.serving.postgres import PostgresServing


@pytest.mark.parametrize("secret", ["s3cr3tword", "p@s3cr3tword", "s3cr3tword:99", "a/s3cr3tword", "s3cr3tword%40x"])
def test_no_error_tells_the_password(secret: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    serving = PostgresServing(f"postgresql://etl:{secret}@127.0.0.1:1/serving", "hanbit")
    with pytest.raises(OndolError) as caught:
        serving.tables()
    told = "".join(traceback.format_exception(caught.value)) + caplog.text + repr(serving)
    assert "s3cr3tword" not in told


@pytest.mark.parametrize(
    "uri",
    ["postgresql://u:s3cr3t@h/db", "postgresql://h/db?password=s3cr3t&user=u", "host=h password='s3cr3t' user=u"],
)
def test_a_password_is_found_wherever_a_uri_has_it(uri: str) -> None:
    assert redacted("got s3cr3t at h", uri) == "got *** at h"


def test_a_server_that_is_away_may_come_back() -> None:
    with pytest.raises(RetriableError, match=r"hanbit.sales: PostgreSQL is away or busy: .*127\.0\.0\.1"):
        PostgresServing("postgresql://etl@127.0.0.1:1/serving", "hanbit").last_batch("sales")


def test_a_uri_that_is_none_is_the_configuration_s_fault() -> None:
    with pytest.raises(FatalError, match="hanbit: PostgreSQL refuses"):
        PostgresServing("postgresql://h/db?nonsense=1", "hanbit").tables()


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("SELECT 1 / 0", Rejected),
        ("SELECT pg_terminate_backend(pg_backend_pid())", RetriableError),
        ("SET LOCAL statement_timeout = '10ms'; SELECT pg_sleep(5)", RetriableError),
        ("SET LOCAL ROLE pg_monitor; CREATE SCHEMA forbidden", FatalError),
        ("SELECT * FROM no_such_table", FatalError),
    ],
)
def test_what_postgresql_says_decides_whether_to_try_again(uri: str, statement: str, kind: type[OndolError]) -> None:
    with pytest.raises(kind, match=r"hanbit\.sales"), transaction(uri, "hanbit.sales") as cursor:
        cursor.execute(statement)


def test_settings_end_with_the_transaction(uri: str, tenant: str) -> None:
    spec = SyncTable(table="sales", key=("id",))
    assert spec.max_delete_share < 1
    with transaction(uri, tenant) as cursor:
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == ("30s",)
        cursor.connection.commit()
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == ("0",)
