"""Signed copies: kept byte for byte; broken, foreign and other texts' signatures never pass for good ones."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from verbund.modules.membership import queries
from verbund.modules.membership.models import ContractText, SignedCopy, TrustAnchor
from verbund.modules.membership.services import StepRefused, signing
from verbund.platform import files, printing
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.identity.roles import Role

from .factories import NOW, Accessions
from .signatures import Authority, signed, stamper
from .test_accession_rules import digest
from .test_contracts import case as case  # the fixtures of the contract's tests serve here too
from .test_contracts import draft, finalise
from .test_contracts import manager as manager
from .test_contracts import second as second

pytestmark = pytest.mark.usefixtures("english")


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority("Prüfstelle")


@pytest.fixture
def consented(case: Accessions) -> Accessions:
    """An accession all parties of which have consented to a finalised contract."""
    ref = draft(case)
    finalise(case, 1)
    for party in case.parties():
        record = case.record_consent if party != case.member_id else None
        if record is None:
            case.record_candidate_resolution(version_sha256=ref.sha256)
        else:
            record(party, version_sha256=ref.sha256)
    return case


def keep(case: Accessions, content: bytes, kind: str = "electronic", **changes: Any) -> signing.CopyRef:
    values: dict[str, Any] = {
        "filename": "Vertrag unterschrieben.pdf",
        "signatories": [
            signing.Signatory(case.member_id, "Erika Muster", "Bürgermeisterin", date(2026, 3, 15)),
        ],
        **changes,
    }
    return signing.record_signed_copy(case.actor, accession_id=case.id, content=content, kind=kind, now=NOW, **values)


def trust(case: Accessions, authority: Authority) -> Any:
    return signing.add_trust_anchor(case.actor, pem=authority.pem, source="Vertrauensliste vom 01.11.2026", now=NOW)


def refused(case: Accessions, content: bytes, error: type[Exception], message: str) -> None:
    before = digest()
    kept = files.StoredFile.objects.count()
    with pytest.raises(error, match=message):
        keep(case, content)
    assert digest() == before
    assert files.StoredFile.objects.count() == kept


def test_a_trusted_signature_with_a_time_stamp_is_shown_with_its_facts(
    consented: Accessions, authority: Authority
) -> None:
    trust(consented, authority)
    stamped = datetime(2026, 3, 15, 8, 0, tzinfo=UTC)
    pdf = queries.contract_pdf(consented.actor, consented.id, 1)
    first = signed(pdf, authority, "Erika Muster", stamper=stamper(authority, stamped))
    both = signed(first, authority, "Lars Linde", field="Signatur2")
    ref = keep(consented, both)
    assert ref.trust == "trusted"
    facts = [(f.signer, f.intact, f.whole, f.trusted, f.stamped_at, f.stamp_trusted) for f in ref.findings]
    assert facts == [
        ("Common Name: Erika Muster", True, True, True, stamped, True),
        ("Common Name: Lars Linde", True, True, True, None, False),
    ]
    row = queries.signed_copy(consented.actor, ref.id)
    assert files.read(row.file_sha256) == both
    (shown,) = queries.contract(consented.actor, consented.id).copies
    assert (shown.party, shown.trust, shown.size) == ("Stadt Neustadt", "trusted", len(both))
    assert shown.findings[0]["stamped_at"] == "2026-03-15T08:00:00+00:00"
    assert shown.signatories[0]["name"] == "Erika Muster"


def test_a_foreign_certificate_is_marked_and_trusted_only_after_it_was_entered(
    consented: Accessions, authority: Authority
) -> None:
    foreign = signed(queries.contract_pdf(consented.actor, consented.id, 1), Authority("Fremde Stelle"), "Erika Muster")
    trust(consented, authority)
    ref = keep(consented, foreign)
    assert ref.trust == "untrusted"
    assert [(f.intact, f.whole, f.trusted) for f in ref.findings] == [(True, True, False)]
    assert "not trusted" in queries.contract(consented.actor, consented.id).copies[0].trust_label
    with pytest.raises(signing.BadCopy, match="kept already"):
        keep(consented, foreign)


def test_a_changed_byte_breaks_the_signature_and_nothing_is_kept(consented: Accessions, authority: Authority) -> None:
    trust(consented, authority)
    pdf = queries.contract_pdf(consented.actor, consented.id, 1)
    good = signed(pdf, authority, "Erika Muster")
    at = len(pdf) // 2
    broken = good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :]
    refused(consented, broken, signing.BadCopy, "is broken|cannot be read")


def test_what_is_added_after_the_signature_is_noticed(consented: Accessions, authority: Authority) -> None:
    import io

    from pypdf import PdfReader, PdfWriter

    good = signed(queries.contract_pdf(consented.actor, consented.id, 1), authority, "Erika Muster")
    writer = PdfWriter(PdfReader(io.BytesIO(good)), incremental=True)
    writer.add_blank_page(200, 200)
    out = io.BytesIO()
    writer.write(out)
    assert out.getvalue().startswith(good)
    refused(consented, out.getvalue(), signing.BrokenSignature, "was changed after")


def test_another_text_without_signature_or_no_pdf_is_refused(consented: Accessions, authority: Authority) -> None:
    trust(consented, authority)
    other = printing.letter("printing/letter.typ", {"subject": "Vertrag", "date": date(2026, 3, 1)})
    refused(consented, signed(other, authority, "Erika Muster"), signing.BadCopy, "Another text was signed")
    pdf = queries.contract_pdf(consented.actor, consented.id, 1)
    refused(consented, pdf, signing.BadCopy, "holds no electronic signature")
    refused(consented, b"%PDF-1.7\nhalf a file", signing.BadCopy, "cannot be read")


def test_a_scan_is_kept_and_says_that_it_cannot_be_checked(consented: Accessions) -> None:
    scan = printing.letter("printing/letter.typ", {"subject": "Scan", "date": date(2026, 3, 1)})
    ref = keep(consented, scan, "scanned")
    assert (ref.trust, ref.findings) == ("not_checked", ())
    assert files.read(SignedCopy.objects.get().file_sha256) == scan
    with pytest.raises(DatabaseError), transaction.atomic():
        SignedCopy.objects.update(filename="anders.pdf")
    before = digest()
    with pytest.raises(files.WrongType):
        keep(consented, b"just text", "scanned")
    with pytest.raises(signing.BadCopy, match="name and function"):
        keep(consented, scan + b" ", "scanned", signatories=[])
    assert digest() == before


def test_nobody_signs_before_all_have_consented(case: Accessions) -> None:
    draft(case)
    finalise(case, 1)
    refused(case, queries.contract_pdf(case.actor, case.id, 1), StepRefused, "Not all parties have consented")
    assert ContractText.objects.count() == 1


def test_the_trust_list_takes_issuers_only_and_from_managers_only(
    consented: Accessions, authority: Authority, staff: Any
) -> None:
    clerk: Actor = staff(Role.AUDITOR, body="alliance", name="Petra")
    with pytest.raises(policy.Denied):
        signing.add_trust_anchor(clerk, pem=authority.pem, source="x", now=NOW)
    person = authority.issue("Erika Muster")[0]
    import base64

    pem = f"-----BEGIN CERTIFICATE-----\n{base64.encodebytes(person.dump()).decode()}-----END CERTIFICATE-----\n"
    for wrong in ("nothing", pem):
        with pytest.raises(signing.BadAnchor):
            signing.add_trust_anchor(consented.actor, pem=wrong, source="x", now=NOW)
    assert TrustAnchor.objects.count() == 0
    anchor = trust(consented, authority)
    with pytest.raises(signing.AnchorConflict):
        trust(consented, authority)
    signing.withdraw_trust_anchor(consented.actor, anchor_id=anchor, now=NOW)
    good = signed(queries.contract_pdf(consented.actor, consented.id, 1), authority, "Erika Muster")
    assert keep(consented, good).trust == "untrusted"
