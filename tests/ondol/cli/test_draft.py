from __future__ import annotations

import tempfile
from pathlib import Path
from unicodedata import normalize

from hypothesis import example, given, settings
from hypothesis import strategies as st

from converters.model import Column, Range, Table
from ondol.cli import draft, guess
from ondol.config.loader import load_tenant

headers = st.lists(st.text(min_size=0, max_size=30), min_size=0, max_size=3).map(tuple)
months = st.integers(1, 12).map(lambda m: (f"{m}월",))
columns = st.lists(
    st.tuples(st.one_of(headers, months), st.sampled_from(["number", "text", "date", "bool", "null", "mixed"]),
              st.sampled_from(["label", "value"]), st.none() | st.text(max_size=5), st.booleans()),
    min_size=1, max_size=20,
)  # fmt: skip


@example(file="0", spec=[(("NULL",), "text", "label", None, False)], title=None, name="true")
@example(file="PG:0", spec=[((), "number", "label", None, False)], title=None, name="0")
@settings(max_examples=150, deadline=None)
@given(
    file=st.text(min_size=1, max_size=40),
    spec=columns,
    title=st.none() | st.text(),
    name=st.text(min_size=1, max_size=50),
)
def test_whatever_a_file_is_like_its_draft_passes_the_check(file, spec, title, name):
    made = [
        Column(n, path, kind, [None, None], unit=unit, role=role, subtotal=subtotal)
        for n, (path, kind, role, unit, subtotal) in enumerate(spec)
    ]
    table = Table("시트", 0, Range(0, 0, 2, len(made) - 1), made, [1, 2], [False, True], title)
    item = guess.item_of(file, [table, table], set())
    body = draft.text("hanbit", name, [item], {file: "broken\nname: x"})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "hanbit.yaml"
        path.write_text(body, encoding="utf-8", errors="surrogatepass")
        tenant = load_tenant(path)
    assert [normalize("NFC", c.source) for c in item.columns] == [
        c.source for c in tenant.items[0].tag.columns.values()
    ]
