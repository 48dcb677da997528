"""Writes: the signed contract as it came in, and the certificates that are trusted when signatures are checked."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from typing import Any, Final
from uuid import UUID

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from django.db import IntegrityError, transaction
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from verbund.modules.membership.gateways import SignatureFinding, SignaturesUnreadable, check_signatures
from verbund.modules.membership.models import (
    BEFORE_SIGNATURE,
    AccessionState,
    CopyKind,
    FinalContract,
    SignedCopy,
    Trust,
    TrustAnchor,
)
from verbund.modules.membership.policies import Permission, visible_accessions
from verbund.platform import audit, files
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import Conflict, Invalid, NotFound, local_date, new_id

from .acts import AccessionNotFound, StepRefused
from .contracting import current_draft

PDF: Final = frozenset({"application/pdf"})


class BadCopy(Invalid):
    """What was entered for a signed copy, or the file itself, cannot be taken."""


class BrokenSignature(BadCopy):
    """A signature in the file does not hold: it, or the text it stands under, was changed afterwards."""


class BadAnchor(Invalid):
    """The certificate cannot be taken into the trust list."""


class AnchorConflict(Conflict):
    """The certificate is in the trust list already, or no more."""


@dataclass(frozen=True, slots=True)
class Signatory:
    """Signatory (Unterzeichnende Person): who signed this copy, for which party, in which function, on which day."""

    party_id: UUID
    name: str
    function: str
    signed_on: date


@dataclass(frozen=True, slots=True)
class CopyRef:
    """CopyRef (Ausfertigung): the copy kept, and what its signatures' certificates lead to (a `Trust`)."""

    id: UUID
    trust: str
    findings: tuple[SignatureFinding, ...]


@transaction.atomic
def record_signed_copy(
    actor: Actor,
    *,
    accession_id: UUID,
    content: bytes,
    filename: str,
    kind: str,
    signatories: Sequence[Signatory],
    now: datetime,
) -> CopyRef:
    """Keep a signed copy (Ausfertigung) of the version that lies before the parties, byte for byte.

    A copy signed electronically must begin with the very bytes of the contract's PDF that was kept when it was
    finalised, and every signature in it must be intact and cover all of it. Certificates that do not lead to the trust
    list do not stop it; the copy is marked as untrusted.

    Raises:
        policy.Denied, AccessionNotFound, NotFound (no final text), StepRefused (consents missing), BadCopy,
        BrokenSignature, files.Refused.
    """
    policy.require(actor, Permission.MANAGE_ACCESSIONS)
    accession = visible_accessions(actor).select_for_update(of=("self",)).filter(id=accession_id).first()
    if accession is None:
        raise AccessionNotFound
    final = (
        FinalContract.objects.filter(text__accession=accession)
        .select_related("draft")
        .order_by("-draft__number")
        .first()
    )
    if final is None or final.draft_id != current_draft(accession).id:
        raise NotFound
    if AccessionState(accession.state) in BEFORE_SIGNATURE - {AccessionState.ALL_CONSENTED}:
        raise StepRefused(_("Not all parties have consented to this version yet. It is signed after that."))
    parties = {c.party_id: c.party for c in final.draft.consents.select_related("party")}
    _check_signatories(signatories, set(parties), now)
    if kind not in CopyKind.values:
        raise BadCopy({"kind": _("Say how the contract was signed.")})
    findings: list[SignatureFinding] = []
    trust = Trust.NOT_CHECKED
    if kind == CopyKind.ELECTRONIC:
        findings = _check_electronic(content, final, now)
        trusted = all(f.trusted for f in findings)
        trust = Trust.TRUSTED if trusted else Trust.UNTRUSTED
    stored = files.put(content, filename=filename, allow=PDF)
    named = {s.party_id for s in signatories}
    copy = SignedCopy(
        id=new_id(),
        final=final,
        party=parties[named.pop()] if len(named) == 1 else None,
        kind=kind,
        trust=trust.value,
        file_sha256=stored.sha256,
        filename=files.clean_filename(filename),
        size=stored.size,
        signatories=[
            {
                "party": parties[s.party_id].name,
                "name": " ".join(s.name.split()),
                "function": " ".join(s.function.split()),
                "signed_on": s.signed_on.isoformat(),
            }
            for s in signatories
        ],
        findings=[_plain(f) for f in findings],
        actor_id=actor.id,
        actor_name=actor.name,
        recorded_at=now,
    )
    try:
        with transaction.atomic():
            copy.save(force_insert=True)
    except IntegrityError as error:
        raise BadCopy({"file": _("This very file has been kept already.")}) from error
    audit.record(
        actor,
        "membership.contract.copy_recorded",
        "membership.accession",
        accession_id,
        after={"sha256": stored.sha256, "kind": kind, "trust": trust.value, "signatories": len(signatories)},
    )
    return CopyRef(copy.id, trust.value, tuple(findings))


def _check_signatories(signatories: Sequence[Signatory], parties: set[UUID], now: datetime) -> None:
    errors: dict[str, str | Promise] = {}
    if not signatories or any(not s.name.strip() or not s.function.strip() for s in signatories):
        errors["signatories"] = _("Enter name and function of everybody who signed.")
    elif any(len(s.name) > 200 or len(s.function) > 200 for s in signatories):
        errors["signatories"] = _("Names and functions have at most 200 characters.")
    elif any(s.party_id not in parties for s in signatories):
        errors["signatories"] = _("Only the parties sign.")
    elif any(s.signed_on > local_date(now) for s in signatories):
        errors["signed_on"] = _("The day lies in the future. Record the act when it has happened.")
    if errors:
        raise BadCopy(errors)


def _check_electronic(content: bytes, final: FinalContract, now: datetime) -> list[SignatureFinding]:
    """Raises:
    BadCopy: unreadable, not signed, or not this contract. BrokenSignature: a signature does not hold.
    """
    anchors = TrustAnchor.objects.filter(withdrawn_at__isnull=True).order_by("fingerprint")
    try:
        findings = check_signatures(content, anchors=[a.pem for a in anchors], at=now)
    except SignaturesUnreadable as error:
        raise BadCopy({"file": _("The file cannot be read as a signed PDF. Ask for it anew.")}) from error
    if not findings:
        raise BadCopy({"file": _("The file holds no electronic signature. Choose “signed by hand” for a scan.")})
    for finding in findings:
        if not finding.intact:
            raise BrokenSignature(
                {
                    "file": gettext("The signature of %(name)s is broken. Ask for the file anew.")
                    % {"name": finding.signer}
                }
            )
        if not finding.whole:
            raise BrokenSignature(
                {
                    "file": gettext("The file was changed after %(name)s had signed it. Ask for the original file.")
                    % {"name": finding.signer}
                }
            )
    if not content.startswith(files.read(final.pdf_sha256)):
        raise BadCopy(
            {
                "file": _(
                    "Another text was signed than the one the parties consented to. Have the contract's PDF signed."
                )
            }
        )
    return findings


def _plain(finding: SignatureFinding) -> dict[str, Any]:
    return {k: v.isoformat() if isinstance(v, datetime) else v for k, v in asdict(finding).items()}


@transaction.atomic
def add_trust_anchor(actor: Actor, *, pem: str, source: str, now: datetime) -> UUID:
    """Take a certificate of an issuer into the trust list (Vertrauensliste); `source` says where it was taken from.

    Raises:
        policy.Denied, BadAnchor, AnchorConflict.
    """
    policy.require(actor, Permission.MANAGE_TRUST)
    try:
        certificates = x509.load_pem_x509_certificates(pem.encode())
        certificate = certificates[0]
        is_issuer = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (ValueError, IndexError, x509.ExtensionNotFound) as error:
        raise BadAnchor({"pem": _("This is no certificate of an issuer in PEM form.")}) from error
    errors: dict[str, str | Promise] = {}
    if len(certificates) != 1 or not is_issuer:
        errors["pem"] = _("Enter one certificate, and that of an issuer.")
    elif certificate.not_valid_after_utc <= now.astimezone(UTC):
        errors["pem"] = _("This certificate is no longer valid.")
    if not source.strip():
        errors["source"] = _("Say where the certificate was taken from, for example a trust list and its date.")
    if errors:
        raise BadAnchor(errors)
    anchor = TrustAnchor(
        id=new_id(),
        name=certificate.subject.rfc4514_string()[:300],
        pem=certificate.public_bytes(Encoding.PEM).decode(),
        fingerprint=certificate.fingerprint(hashes.SHA256()).hex(),
        source=source.strip()[:300],
        not_after=certificate.not_valid_after_utc,
        recorded_at=now,
    )
    try:
        with transaction.atomic():
            anchor.save(force_insert=True)
    except IntegrityError as error:
        raise AnchorConflict(_("This certificate has been entered already.")) from error
    audit.record(
        actor,
        "membership.trust_anchor.added",
        "membership.trustanchor",
        anchor.id,
        after={"name": anchor.name, "fingerprint": anchor.fingerprint, "source": anchor.source},
    )
    return anchor.id


@transaction.atomic
def withdraw_trust_anchor(actor: Actor, *, anchor_id: UUID, now: datetime) -> None:
    """Trust a certificate no more; what was checked before keeps its result.

    Raises:
        policy.Denied, NotFound, AnchorConflict.
    """
    policy.require(actor, Permission.MANAGE_TRUST)
    anchor = TrustAnchor.objects.select_for_update().filter(id=anchor_id).first()
    if anchor is None:
        raise NotFound
    if anchor.withdrawn_at is not None:
        raise AnchorConflict(_("This certificate has been withdrawn already."))
    anchor.withdrawn_at = now
    anchor.save(update_fields=["withdrawn_at"])
    audit.record(
        actor,
        "membership.trust_anchor.withdrawn",
        "membership.trustanchor",
        anchor.id,
        after={"fingerprint": anchor.fingerprint},
    )
