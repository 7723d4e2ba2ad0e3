"""The report as evidence: its JSON text, signed with the control node's report key."""

import hashlib
from pathlib import Path

from pydantic import ValidationError

from rollout.audit.findings import AuditReport
from rollout.errors import ConfigurationError, Exit, VerificationError
from rollout.paths import Home
from rollout.release.sign import Keyring, verify


def text(report: AuditReport) -> bytes:
    """The JSON text: what is signed and hashed."""
    return report.model_dump_json(indent=1).encode() + b"\n"


def sha256(report: AuditReport) -> str:
    """The digest of the JSON text, which names the report."""
    return hashlib.sha256(text(report)).hexdigest()


def exit_code(report: AuditReport) -> Exit:
    """0 uniform, 3 when anything could not be seen (it beats 1), 1 when something is wrong."""
    if "unreachable" in report.summary:
        return Exit.UNREACHABLE
    return Exit.OK if report.uniform else Exit.FINDINGS


def signature_file(file: Path) -> Path:
    """Where the signature of a report stands: beside it."""
    return file.with_name(f"{file.name}.asc")


def check_writable(file: Path) -> None:
    """Refuses a file that cannot be written, before a host is asked anything."""
    if file.is_dir() or not file.resolve().parent.is_dir():
        raise ConfigurationError(f"{file}: cannot be written there", "Name a file in an existing folder.")


def write(file: Path, content: bytes) -> None:
    """Writes a file whole or not at all."""
    partial = file.with_name(f".{file.name}.partial")
    partial.write_bytes(content)
    partial.replace(file)


def write_signed(home: Home, report: AuditReport, file: Path) -> None:
    """Writes the report and its signature beside it."""
    keyring = Keyring(home, "report")
    keyring.ensure()
    content = text(report)
    write(signature_file(file), keyring.sign_detached(content))
    write(file, content)


def read_verified(file: Path, key: Path) -> AuditReport:
    """A report whose signature by ``key`` holds. Raises VerificationError that says what does not hold."""
    try:
        content, signature = file.read_bytes(), signature_file(file).read_bytes()
    except OSError as error:
        raise VerificationError(
            f"{error.filename}: {error.strerror}", "A report is two files: FILE and FILE.asc."
        ) from error
    verify(content, signature, key, str(file))
    try:
        return AuditReport.model_validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        raise VerificationError(
            f"{file}: signed, but not an audit report: {'.'.join(map(str, first['loc']))}: {first['msg']}"
        ) from error
