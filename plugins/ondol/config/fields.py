"""What several models of a tenant's YAML share: kinds of values, and how a validator says what is wrong with one."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from ondol.config.names import nearest

Id = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,39}$")]
"""Sources, items and tenants: 2 to 40 of a-z, 0-9 and _, a letter first."""

ID_RULE = "2 to 40 of a-z, 0-9 and _, a letter first"
NAME_RULE = "1 to 63 of a-z, 0-9 and _, a letter first"
DURATIONS = "a whole number and minutes, hours, days or weeks"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that a validator found wrong: as the parts of a ondol.errors.Problem.

    Args:
        message: the whole sentence; empty for "… is '<the value>'".
        at: the keys from the validated value down to what is wrong.
    """

    message: str = ""
    allowed: str | None = None
    hint: str | None = None
    at: tuple[str | int, ...] = ()


class Wrong(ValueError):
    """What validators raise: all faults that they found, for config/problems.py to place and word."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__("; ".join(f.message or f"allowed is {f.allowed}" for f in faults))
        self.faults = faults


def check_secret(value: str) -> str:
    """Refuse what is no name of a secret, without showing it: someone may have written the secret itself."""
    if len(value) > 40 or not re.fullmatch(SECRET_NAME, value):
        raise Wrong(Fault("this is no name of a secret", allowed=SECRET_RULE))
    return value


SECRET_NAME = r"[a-z][a-z0-9]*(-[a-z0-9]+)*"
SECRET_RULE = "a name of a-z, 0-9 and single dashes, a letter first; the password itself never stands here"
SecretName = Annotated[str, Field(json_schema_extra={"pattern": f"^{SECRET_NAME}$"}), AfterValidator(check_secret)]
"""A secret of this tenant. It has no underscore, so that tenant and name make a variable that no other pair makes."""


def check_bucket(value: str) -> str:
    """Refuse what is no place in Cloud Storage. Source: Cloud Storage's "Bucket names", without the dots."""
    if not re.fullmatch(r"gs://[a-z0-9][a-z0-9_-]{1,61}[a-z0-9](/[\w-][\w.-]*)*", value):
        raise Wrong(Fault(allowed="gs://bucket or gs://bucket/prefix"))
    return value


Bucket = Annotated[str, AfterValidator(check_bucket)]
"""A bucket of Cloud Storage, or a prefix in one."""


_DURATION = re.compile(r"^(\d{1,6}) (minute|hour|day|week)s?$")


def duration(text: str) -> dt.timedelta:
    """'90 minutes', '3 hours', '1 day', '2 weeks' as a timedelta; ValueError for anything else."""
    if found := _DURATION.match(text):
        return dt.timedelta(**{found[2] + "s": int(found[1])})
    number, word = re.match(r"\s*(\d*)\s*(.*)", text, re.DOTALL).groups()  # type: ignore[union-attr]
    unit = nearest(word, ("minutes", "hours", "days", "weeks", "minute", "hour", "day", "week"))
    raise Wrong(Fault(allowed=DURATIONS, hint=f"{number or 1} {unit}" if unit else "1 day"))


def check_placeholders(text: str, known: Iterable[str]) -> None:
    """Refuse braces that stand for nothing that is known."""
    given = re.findall(r"{([^{}]*)}", text)
    allowed = ", ".join(f"{{{k}}}" for k in known)
    for word in given:
        if word not in known:
            near = nearest(word, known)
            raise Wrong(
                Fault(allowed=f"in braces only {allowed}", hint=near and text.replace(f"{{{word}}}", f"{{{near}}}"))
            )
    if re.sub(r"{[^{}]*}", "", text).count("{") or re.sub(r"{[^{}]*}", "", text).count("}"):
        raise Wrong(Fault(allowed=f"closed braces around one of {allowed}"))
