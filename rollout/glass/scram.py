"""What PostgreSQL keeps of a password (RFC 5803), made here so that the password is sent nowhere."""

import base64
import hashlib
import hmac
import secrets

ITERATIONS = 4096
_SALT_BYTES = 16


def verifier(password: str, salt: bytes | None = None) -> str:
    """``SCRAM-SHA-256$4096:<salt>$<stored key>:<server key>``; ``password`` is ASCII, as all of ours are."""
    if not password.isascii() or not password.isprintable():
        raise ValueError("only printable ASCII needs no normalisation")
    salt = salt if salt is not None else secrets.token_bytes(_SALT_BYTES)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, ITERATIONS)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    parts = [base64.b64encode(part).decode() for part in (salt, stored, server)]
    return f"SCRAM-SHA-256${ITERATIONS}:{parts[0]}${parts[1]}:{parts[2]}"
