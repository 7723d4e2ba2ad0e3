"""Ansible's vault format, one id per site: ``ansible-vault view --vault-id SITE@vault-password`` reads it."""

from importlib import import_module
from typing import Any

from rollout.errors import VerificationError


def _library(site: str, password: bytes) -> Any:
    # Imported when needed: ansible costs 0.4 s, which a command that opens no vault must not pay.
    ansible = import_module("ansible.parsing.vault")
    return ansible.VaultLib([(site, ansible.VaultSecret(password))])


def encrypt(site: str, password: bytes, content: bytes) -> bytes:
    """``content`` in a vault envelope that carries the site's name as its id."""
    envelope: bytes = _library(site, password).encrypt(content, vault_id=site)
    return envelope


def decrypt(site: str, password: bytes, envelope: bytes, where: str) -> bytes:
    """The content of ``envelope``; VerificationError that names ``where`` if the password does not fit."""
    library = _library(site, password)
    try:
        content: bytes = library.decrypt(envelope)
    except import_module("ansible.errors").AnsibleError:
        # Not chained: ansible's own message may quote what it read.
        raise VerificationError(
            f"{where}: cannot be decrypted with the site's vault-password",
            "Both files belong together: bring the folder back with `rollout state import`.",
        ) from None
    return content
