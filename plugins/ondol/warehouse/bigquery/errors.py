"""What BigQuery's client raises, as what a stage knows: try again later, or change something first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
CONFLICT = ("aborted due to concurrent update", "could not serialize access", "not found: job ")
"""Said with a reason that does not pass: of a transaction that lost against another, and of a job that was lost."""
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
def telling(what: str, advice: Mapping[str, str] = ADVICE) -> Iterator[None]:
    """Raise what the client's error means.

    Args:
        what: was asked for.
        advice: what to check, by BigQuery's word for the reason.

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
        raise _meaning(what, error, advice) from error
    except GoogleAuthError as error:
        if getattr(error, "retryable", False):
            raise RetriableError(f"{what}: the credentials could not be fetched: {type(error).__name__}") from error
        raise FatalError(
            f"{what}: there are no valid credentials ({type(error).__name__}): run as a service account, or say "
            "'gcloud auth application-default login'"
        ) from error
    except (RetryError, RequestException, TimeoutError) as error:
        cause: object = error
        while isinstance(cause, RetryError):  # the job's around the request's
            cause = cause.cause
        if isinstance(cause, GoogleAPICallError):
            raise _meaning(what, cause, advice) from error
        raise RetriableError(f"{what}: there is no answer ({type(error).__name__}): run the stage again") from error


def reason_of(error: Exception) -> str:
    """BigQuery's word for it, such as quotaExceeded."""
    errors = getattr(error, "errors", None) or [{}]
    found = errors[0].get("reason") if isinstance(errors[0], dict) else None
    return str(found or _BY_STATUS.get(int(getattr(error, "code", 0) or 0), ""))


_BY_STATUS = {401: "accessDenied", 403: "accessDenied", 404: "notFound", 429: "rateLimitExceeded"}


def _meaning(what: str, error: Exception, advice: Mapping[str, str]) -> OndolError:
    reason = reason_of(error)
    message = str(getattr(error, "message", error)).replace("\n", " ")
    message = (message.partition("prettyPrint=false: ")[2] or message).partition("; reason: ")[0]
    check = f". What to check: {advice[reason]}" if reason in advice else ""
    text = f"{what}: {message[:400]}{f' ({reason})' if reason else ''}{check}"
    passing = (
        reason in PASSING
        or int(getattr(error, "code", 0) or 0) >= 500
        or any(text in message.lower() for text in CONFLICT)
    )
    return RetriableError(text) if passing else FatalError(text)
