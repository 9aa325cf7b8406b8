"""`python -m tests.samples DIR` writes the sample firms' files to look at."""

import sys
from pathlib import Path

from tests.samples import write_samples

write_samples(Path(sys.argv[1]))
