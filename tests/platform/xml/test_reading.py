"""XML that strangers wrote: what is taken, what is refused, and that a refusal is quick and small."""

import resource
import time
from collections.abc import Iterator

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from verbund.platform import xml

LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY l "laugh"><!ENTITY m "'
    + b"&l;" * 1000
    + b'"><!ENTITY n "'
    + b"&m;" * 1000
    + b'">]><a b="&n;">&n;</a>'
)


@pytest.fixture(autouse=True, scope="module")
def _in_english() -> Iterator[None]:
    with translation.override("en"):
        yield


@pytest.mark.parametrize(
    "content",
    [
        "<a>Straße</a>".encode(),
        "\ufeff<a>Straße</a>".encode(),
        "<?xml version='1.0' encoding='UTF-8' standalone='yes'?>\n<a>Straße</a>".encode(),
        '<?xml version="1.0" encoding="iso-8859-1"?><a>Straße</a>'.encode("latin-1"),
        '<?xml version="1.0" encoding="windows-1252"?><a>Straße</a>'.encode("cp1252"),
        '<?xml version="1.0" encoding="UTF-16"?><a>Straße</a>'.encode("utf-16"),
        "\ufeff<a>Straße</a>".encode("utf-16-be"),
        "<!-- <!DOCTYPE --><?go <!DOCTYPE?><a>Stra<!-- - > -->ße</a>".encode(),
    ],
)
def test_the_usual_encodings_say_the_same(content: bytes) -> None:
    root = xml.parse(content)
    assert (root.tag, "".join(map(str, root.itertext())), len(root)) == ("a", "Straße", 0)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b" \n ", "empty"),
        (b"words", "not readable"),
        (b"<a><b></a>", "not readable"),
        (b"<a/><b/>", "not readable"),
        (b"<a>\x00</a>", "not readable"),
        (b"<a>&b;</a>", "not readable"),
        (b"<a>\xe4</a>", "not written in its encoding"),
        (b"<!DOCTYPE a><a/>", "DOCTYPE"),
        (b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', "DOCTYPE"),
        (b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', "DOCTYPE"),
        (b"<!-- a --><?b c?>\n<!DOCTYPE a><a/>", "DOCTYPE"),
        ('<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE a><a/>'.encode("utf-16"), "DOCTYPE"),
        (LAUGHS, "DOCTYPE"),
        (b'<?xml version="1.0" encoding="utf-7"?><a>+ADw-</a>', "encoding utf-7"),
        (b'<?xml version="1.0" encoding="cp037"?><a/>', "encoding cp037"),
        (b'<?xml version="1.0" encoding="utf-16"?><a/>', "encoding utf-16"),
        (b'<?xml version="1.0" encoding="rot13"?><a/>', "encoding rot13"),
        (b'<?xml version="1.0" encoding="of-my-own"?><a/>', "encoding of-my-own"),
        (b"<a>" * 300 + b"</a>" * 300, "not readable"),
        (b"<a>" + b"<b/>" * (xml.MAX_NODES) + b"</a>", "more elements"),
        (b"<a " + b" ".join(b'b%d=""' % n for n in range(xml.MAX_NODES // 2)) + b"/>", "not readable|more elements|MB"),
    ],
)
def test_what_is_hostile_is_refused_with_its_reason(content: bytes, reason: str) -> None:
    started = time.process_time()
    with pytest.raises(xml.Refused, match=reason):
        xml.parse(content)
    assert time.process_time() - started < 3


def test_the_limit_is_the_callers_and_said_in_megabytes() -> None:
    content = b"<a>" + b" " * 1_500_000 + b"</a>"
    assert xml.parse(content).tag == "a"
    with pytest.raises(xml.Refused, match=r"1\.5 MB"):
        xml.parse(content, limit=1_500_000)


def test_a_file_at_the_limit_of_nodes_stays_small_in_memory() -> None:
    content = b"<a>" + b"<b/>" * (xml.MAX_NODES - 10) + b"</a>"
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert len(xml.parse(content)) == xml.MAX_NODES - 10
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024 < 600


@given(st.one_of(st.binary(max_size=200), st.text(max_size=200).map(str.encode)))
def test_no_file_ends_otherwise_than_read_or_refused(content: bytes) -> None:
    try:
        told = str(xml.parse(content).tag)
    except xml.Refused as refusal:
        told = str(refusal.message)
    assert told
