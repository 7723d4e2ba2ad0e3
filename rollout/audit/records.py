"""The sites' records: this control node's own, or the copy that a site keeps on its storage device."""

from pydantic import ValidationError

from rollout.audit.facts import HostFacts, Machine, Unreachable
from rollout.errors import VerificationError
from rollout.paths import Home
from rollout.record import SiteRecord


def read(home: Home, site: str) -> SiteRecord | None:
    """One site's record at home, its signature verified; None before its first apply ended well."""
    file = home.records / f"{site}.json"
    if not file.is_file():
        return None
    signature = file.with_name(f"{file.name}.asc")
    if not signature.is_file():
        raise VerificationError(f"{file}: its signature {signature.name} is missing", "Run apply again.")
    return judge(home, site, file.read_bytes(), signature.read_bytes(), str(file))


def of_storage(home: Home, site: str, facts: HostFacts | Unreachable) -> SiteRecord | None:
    """The copy on the site's storage device; None when there is none.

    With it anybody who has the report key's public half audits a site that another control node deployed.
    """
    if isinstance(facts, Unreachable) or not isinstance(facts.machine, Machine):
        return None
    content, signature = facts.machine.record
    if content is None or signature is None:
        return None
    return judge(home, site, content.encode(), signature.encode(), f"the record on {site}-s")


def judge(home: Home, site: str, content: bytes, signature: bytes, what: str) -> SiteRecord:
    """A record from its bytes. VerificationError says why it is not one of this site, or not signed by us."""
    from rollout.access import trust  # noqa: PLC0415 - it knows of applies, which `rollout audit --help` need not

    signer = trust.verify_record(home, site, content, signature, what)
    try:
        record = SiteRecord.model_validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        raise VerificationError(f"{what}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    if record.site != site:
        raise VerificationError(f"{what}: this is the record of {record.site}")
    trust.in_time(signer, record.applied_at, what)
    return record
