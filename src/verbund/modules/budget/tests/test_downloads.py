from dataclasses import dataclass

from verbund.modules.budget.web.tables import all_rows


@dataclass
class Chunk:
    rows: list[int]
    after: int | None


def test_a_download_holds_every_row_of_a_paged_query() -> None:
    asked = []

    def fetch(after: int | None) -> Chunk:
        asked.append(after)
        start = 0 if after is None else after
        rows = list(range(start, min(start + 1000, 2500)))
        return Chunk(rows, rows[-1] + 1 if rows[-1] < 2499 else None)

    assert list(all_rows(fetch)) == list(range(2500))
    assert asked == [None, 1000, 2000]
