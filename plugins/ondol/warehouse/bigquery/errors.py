"""What BigQuery's client raises, as what a stage knows: try again later, or change something first."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ondol.errors import FatalError, OndolError, RetriableError

PASSING = {
    "backendError",
    "badGateway",
    "internalError",
    "jobBackendError",
    "jobInternalError",
    "jobRateLimitExceeded",
    "quotaExceeded",
    "rateLimitExceeded",
    "resourceInUse",
    "stopped",
    "tableUnavailable",
}
"""Reasons of failed requests and jobs that may be gone later. Source: BigQuery's "Error messages"."""
CONFLICT = ("aborted due to concurrent update", "could not serialize access")
"""Said with the reason invalidQuery of a transaction that lost against another."""
ADVICE = {
    "quotaExceeded": "a quota of the project is used up: see IAM & Admin → Quotas, or run less at once",
    "rateLimitExceeded": "too many calls at once: run fewer tenants at once, or ask for a higher quota",
    "bytesBilledLimitExceeded": "ONDOL_BIGQUERY_BYTES is the limit: raise it, or read less (cluster, filter by period)",
    "accessDenied": "give this service account roles/bigquery.dataOwner on the dataset (roles/bigquery.user on the "
    "project makes it), roles/bigquery.jobUser on the project, and roles/storage.objectViewer on the lake",
    "notFound": "check project and location of ONDOL_BIGQUERY",
    "billingNotEnabled": "enable billing for the project of ONDOL_BIGQUERY",
}


@contextmanager
def telling(what: str) -> Iterator[None]:
    """Raise what the client's error means.

    Raises:
        FatalError: the request can never work as it is; the message says what to check.
        RetriableError: the service is away or busy, and the client's own retries are used up.
    """
    from google.api_core.exceptions import GoogleAPICallError, RetryError
    from google.auth.exceptions import GoogleAuthError
    from requests import RequestException

    try:
        yield
    except GoogleAPICallError as error:
        raise _meaning(what, error) from error
    except GoogleAuthError as error:
        if getattr(error, "retryable", False):
            raise RetriableError(f"{what}: the credentials could not be fetched: {type(error).__name__}") from error
        raise FatalError(
            f"{what}: there are no valid credentials ({type(error).__name__}): run as a service account, or say "
            "'gcloud auth application-default login'"
        ) from error
    except (RetryError, RequestException, TimeoutError) as error:
        raise RetriableError(
            f"{what}: BigQuery does not answer ({type(error).__name__}): run the stage again"
        ) from error


def reason_of(error: Exception) -> str:
    """BigQuery's word for it, such as quotaExceeded."""
    errors = getattr(error, "errors", None) or [{}]
    found = errors[0].get("reason") if isinstance(errors[0], dict) else None
    return str(found or _BY_STATUS.get(int(getattr(error, "code", 0) or 0), ""))


_BY_STATUS = {401: "accessDenied", 403: "accessDenied", 404: "notFound", 429: "rateLimitExceeded"}


def _meaning(what: str, error: Exception) -> OndolError:
    reason = reason_of(error)
    message = str(getattr(error, "message", error)).replace("\n", " ")
    message = (message.partition("prettyPrint=false: ")[2] or message).partition("; reason: ")[0]
    advice = f". What to check: {ADVICE[reason]}" if reason in ADVICE else ""
    text = f"{what}: {message[:400]}{f' ({reason})' if reason else ''}{advice}"
    passing = reason in PASSING or int(getattr(error, "code", 0) or 0) >= 500 or any(c in message for c in CONFLICT)
    return RetriableError(text) if passing else FatalError(text)
