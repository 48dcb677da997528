"""The floor writes the rows of a call again and again: never the same number or key twice."""

from benchmarks.floor import Written, _again, _apart, _to_be_changed


def _numbers(each: Written, calls: range) -> list[str | None]:
    changed = _to_be_changed(each, set())
    return [
        _again(value, "id", {}, changed, at * len(each.inserted) + place)
        for at in calls
        for place, row in enumerate(_apart(each, changed))
        for value in row
    ]


def test_numbers_with_gaps_of_others_between_them_are_never_given_twice() -> None:
    rows: list[list[str | None]] = [["100"], ["101"], ["299"]]
    each = Written("t.audit", ["id"], ["bigint"], ["id"], [["id"]], rows, [])
    numbers = _numbers(each, range(95, 200))
    assert len(set(numbers)) == len(numbers) == 3 * 105
    assert rows == [["100"], ["101"], ["299"]]


def test_texts_stay_apart_by_their_call_and_place() -> None:
    each = Written("t.mark", ["id"], ["text"], ["id"], [["id"]], [["A-1"], ["A-2"]], [])
    numbers = _numbers(each, range(3))
    assert numbers == ["A-1~0", "A-2~1", "A-1~2", "A-2~3", "A-1~4", "A-2~5"]
