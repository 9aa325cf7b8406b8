"""What a load promises when BigQuery is in trouble: after a retry, the end state of an undisturbed run."""

from __future__ import annotations

import datetime as dt
import os
from decimal import Decimal

import pytest

from ondol.errors import FatalError, RetriableError
from ondol.warehouse.base import LoadResult
from ondol.warehouse.bigquery import client
from tests.emulators import proxy
from tests.emulators.proxy import Fault

D5 = dt.date(2026, 1, 5)
OLD = [(D5, "001", Decimal("1000")), (D5, "002", Decimal("250.5"))]
NEW = [(D5, "001", Decimal("999"))]
QUERY, COMMIT, STAGE = r"POST \S*/queries", r"POST \S*/jobs\S* .*BEGIN TRANSACTION", r"POST /(resumable/)?upload"
FAULTS = {
    "a query is answered by 503": Fault(QUERY, 503, "backendError", times=2),
    "a query is answered by 429": Fault(QUERY, 429, "rateLimitExceeded"),
    "the upload is answered by 503": Fault(STAGE, 503, "backendError"),
    "the upload is done but its answer is lost": Fault(STAGE, then="cut"),
    "the transaction is answered by 503": Fault(COMMIT, 503, "backendError"),
    "the transaction is done but its answer is lost": Fault(COMMIT, then="cut"),
    "the transaction's job is lost": Fault(r"GET \S*/queries/ondol_hanbit_", 404, "Not found: Job ondol"),
    "half of an answer is lost": Fault(r"GET \S*/tables/sales", then="truncate"),
}


@pytest.fixture
def faults(warehouse, load, day, monkeypatch):
    """Where a test puts faults; the slot holds OLD."""
    load("sales", day(5), OLD)
    warehouse.close()
    found: list[Fault] = []
    with proxy.serve(os.environ["BIGQUERY_EMULATOR_HOST"], found) as url:
        monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", url)
        yield found
        warehouse.close()


def holds(warehouse):
    [found] = warehouse.query("SELECT COUNT(*) AS n, SUM(amount) AS amount FROM hanbit.sales")
    return found["n"], found["amount"]


@pytest.mark.parametrize("name", FAULTS)
def test_a_load_survives_what_passes(warehouse, load, day, faults, name):
    fault = FAULTS[name]
    fault.hits = 0
    faults.append(fault)
    assert load("sales", day(5), NEW, version=("3", "b", "b")) in (
        LoadResult("loaded", 1, 2),
        LoadResult("unchanged"),  # it was carried out by the first request
    )
    assert fault.hits == fault.times
    assert holds(warehouse) == (1, Decimal(999))
    assert len(warehouse.query("SELECT 1 AS one FROM hanbit._ondol_loads")) == 1


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (Fault(COMMIT, 403, "quotaExceeded", times=99), "a quota of the project is used up: see IAM & Admin"),
        (Fault(COMMIT, 503, "backendError", times=99), r"loading sales_daily 2026-01-05: .*backendError"),
        (Fault(QUERY, 429, "rateLimitExceeded", times=99), "run fewer tenants at once"),
        (Fault(QUERY, then="cut", times=99), "there is no answer"),
    ],
)
def test_what_lasts_is_told_with_what_to_check_and_a_later_run_ends_as_if_undisturbed(
    warehouse, load, day, faults, monkeypatch, fault, says
):
    monkeypatch.setattr(client, "RETRY_SECONDS", 0.5)
    monkeypatch.setattr(client, "TRIES", 1)
    fault.hits = 0
    faults.append(fault)
    with pytest.raises(RetriableError, match=says):
        load("sales", day(5), NEW, version=("3", "b", "b"))
    faults.clear()
    assert holds(warehouse) == (2, Decimal("1250.5"))
    assert load("sales", day(5), NEW, version=("3", "b", "b")) == LoadResult("loaded", 1, 2)
    assert holds(warehouse) == (1, Decimal(999))


def test_a_refusal_names_the_roles_to_give(warehouse, load, day, faults):
    faults.append(Fault(QUERY, 403, "accessDenied"))
    with pytest.raises(FatalError, match=r"roles/bigquery\.dataOwner"):
        load("sales", day(5), NEW, version=("3", "b", "b"))


def test_a_dataset_that_was_dropped_and_made_anew_is_loaded_again(warehouse, load, day):
    load("sales", day(5), OLD)
    warehouse.client.api.delete_dataset("hanbit", delete_contents=True)
    warehouse.__dict__.pop("made")
    assert load("sales", day(5), OLD).decision == "loaded"
    assert holds(warehouse) == (2, Decimal("1250.5"))
