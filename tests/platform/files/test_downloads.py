"""Nothing in a download can run."""

from typing import Any

import pytest
from tests.platform.files import samples

from verbund.platform import files


def body_of(response: Any) -> bytes:
    return b"".join(response.streaming_content)


def test_a_download_is_locked_in(alpha: Any) -> None:
    digest = files.put(samples.XML, filename="a.xml").sha256
    response = files.download(digest, "Größe & Name.xml", "application/xml", inline=True)
    assert body_of(response) == samples.XML
    assert response["Content-Disposition"] == "attachment; filename*=utf-8''Gr%C3%B6%C3%9Fe%20%26%20Name.xml"
    assert response["Content-Security-Policy"].startswith("sandbox; default-src 'none';")
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["X-Frame-Options"] == "DENY"
    assert response["Cache-Control"] == "private, no-store"
    assert response["Content-Type"] == "application/xml"
    assert response["Content-Length"] == str(len(samples.XML))


@pytest.mark.parametrize(
    ("content", "name", "shown"),
    [
        (samples.PDF, "a.pdf", True),
        (samples.png(), "a.png", True),
        (samples.JPEG, "a.jpg", True),
        (b"text", "a.txt", False),
    ],
)
def test_only_pdf_and_pictures_are_shown_in_the_browser_and_only_when_asked(
    alpha: Any, content: bytes, name: str, shown: bool
) -> None:
    digest = files.put(content, filename=name).sha256
    assert files.download(digest, name)["Content-Disposition"] == f'attachment; filename="{name}"'
    kind = "inline" if shown else "attachment"
    assert files.download(digest, name, inline=True)["Content-Disposition"] == f'{kind}; filename="{name}"'


def test_a_picture_is_shown_in_a_sandbox_and_a_pdf_where_nothing_else_loads(alpha: Any) -> None:
    picture = files.download(files.put(samples.png(), filename="a.png").sha256, "a.png", inline=True)
    assert picture["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    paper = files.download(files.put(samples.PDF, filename="a.pdf").sha256, "a.pdf", inline=True)
    assert paper["Content-Security-Policy"].startswith("default-src 'none'; object-src 'self'")
    assert "script" not in paper["Content-Security-Policy"]
    assert picture["X-Frame-Options"] == paper["X-Frame-Options"] == "SAMEORIGIN"


def test_a_kind_the_caller_only_claims_goes_out_as_an_octet_stream(alpha: Any) -> None:
    digest = files.put(b"<p>not at the beginning</p>", filename="a.pdf", allow=files.ANYTHING).sha256
    response = files.download(digest, "a.html", "text/html", inline=True)
    assert response["Content-Type"] == "application/octet-stream"
    assert response["Content-Disposition"].startswith("attachment")


def test_a_name_cannot_break_out_of_its_header(alpha: Any) -> None:
    digest = files.put(samples.PDF, filename="a.pdf").sha256
    response = files.download(digest, 'x"; filename=evil.exe\r\nSet-Cookie: a=b.pdf')
    assert response["Content-Disposition"] == 'attachment; filename="x_; filename=evil.exeSet-Cookie_ a=b.pdf"'
    assert "Set-Cookie" not in response.headers


def test_an_unknown_content_is_not_found(alpha: Any) -> None:
    with pytest.raises(files.FileNotFound):
        files.download("0" * 64, "a.pdf")
