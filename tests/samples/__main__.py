"""`python -m tests.samples DIR [DAY …]` writes the sample firms' files to look at; 2026-01-05 is such a day."""

import datetime as dt
import sys
from pathlib import Path

from tests.samples import write_samples

write_samples(Path(sys.argv[1]), [dt.date.fromisoformat(day) for day in sys.argv[2:]] or None)
