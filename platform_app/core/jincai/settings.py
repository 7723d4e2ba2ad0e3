"""What the environment tells the process: read once, checked, then passed on."""

import os
import re
from collections.abc import Mapping
from typing import Self
from urllib.parse import urlsplit

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)

from jincai.errors import ConfigurationError

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_VARIABLES = {
    "database_url": "JINCAI_DATABASE_URL",
    "migration_database_url": "JINCAI_MIGRATION_DATABASE_URL",
    "auth_database_url": "JINCAI_AUTH_DATABASE_URL",
    "app_role": "JINCAI_APP_ROLE",
    "auth_role": "JINCAI_AUTH_ROLE",
    "oidc_issuer": "JINCAI_OIDC_ISSUER",
    "oidc_client_id": "JINCAI_OIDC_CLIENT_ID",
    "oidc_client_secret": "JINCAI_OIDC_CLIENT_SECRET",
    "public_url": "JINCAI_PUBLIC_URL",
    "pool_max": "JINCAI_POOL_MAX",
    "release": "JINCAI_RELEASE",
    "release_serial": "JINCAI_RELEASE_SERIAL",
    "release_manifest_sha256": "JINCAI_RELEASE_MANIFEST_SHA256",
    "instance": "JINCAI_INSTANCE",
    "drain_seconds": "JINCAI_DRAIN_SECONDS",
    "embedded_bin": "JINCAI_EMBEDDED_BIN",
    "embedded_home": "JINCAI_EMBEDDED_HOME",
}


class Settings(BaseModel):
    """The process's configuration; an empty variable counts as not set.

    Attributes:
        database_url: libpq URL of the application role; several hosts with
            ``target_session_attrs=read-write`` find the primary.
        migration_database_url: libpq URL of the schema owner, for `jincai migrate`.
        auth_database_url: libpq URL of the role that may read who has which password and opens sessions;
            everything else runs as the application's role, which cannot.
        auth_role: role that `jincai migrate` gives the grants for that to, if it exists.
        app_role: role that `jincai migrate` gives the application's grants to, if it exists.
        oidc_issuer: identity provider (单点登录) as its tokens name it; https, or http on this machine.
        oidc_client_id: what the provider calls this platform.
        oidc_client_secret: the secret it shares with us.
        public_url: what browsers call this platform, such as ``https://jincai.example``; the provider sends
            people back there.
        pool_max: connections the process opens at most for requests.
        release: name of the release this process was deployed from.
        release_serial: its serial.
        release_manifest_sha256: its manifest's digest, 64 lower-case hexadecimal digits.
        instance: what the unit is called on its host, shown in `/version`.
        drain_seconds: how long a process that was asked to end still answers, while `/livez` says so.
        embedded_bin: folder with `initdb` and `pg_ctl`, for `jincai serve` without a database.
        embedded_home: folder that holds that server's data.
    """

    model_config = ConfigDict(frozen=True)

    database_url: str | None = None
    migration_database_url: str | None = None
    auth_database_url: str | None = None
    app_role: str = Field(default="jincai_app", pattern=r"^[a-z_][a-z0-9_]{0,62}$")
    auth_role: str = Field(default="jincai_auth", pattern=r"^[a-z_][a-z0-9_]{0,62}$")
    oidc_issuer: str | None = Field(default=None, max_length=300)
    oidc_client_id: str | None = Field(default=None, max_length=200, pattern=r"^[\x21-\x7e]+$")
    oidc_client_secret: SecretStr | None = Field(default=None, min_length=16, max_length=500)
    public_url: str | None = Field(default=None, max_length=200, pattern=r"^https?://[A-Za-z0-9.:\[\]-]+$")
    pool_max: int = Field(default=10, ge=1, le=200)
    release: str | None = Field(default=None, max_length=64)
    release_serial: int | None = Field(default=None, ge=0)
    release_manifest_sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    instance: str | None = Field(default=None, max_length=64)
    drain_seconds: float = Field(default=0, ge=0, le=60)
    embedded_bin: str | None = None
    embedded_home: str | None = None

    @field_validator("database_url", "migration_database_url", "auth_database_url")
    @classmethod
    def _is_readable(cls, url: str | None) -> str | None:
        """Refuse a URL that libpq cannot read; libpq's own words may repeat a password, so not these."""
        if url is not None:
            try:
                conninfo_to_dict(url)
            except ProgrammingError:
                raise ValueError("is no libpq URL; write postgresql://user@host1,host2/database") from None
        return url

    @field_validator("oidc_issuer")
    @classmethod
    def _is_safe(cls, url: str | None) -> str | None:
        """Refuse an issuer that anybody on the way could pretend to be."""
        if url is not None and not is_safe(url):
            raise ValueError("write https://…; plain http is for this machine alone")
        return url

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        """Refuse half a single sign-on."""
        needed = ("oidc_issuer", "oidc_client_id", "oidc_client_secret", "public_url")
        missing = [_VARIABLES[name] for name in needed if getattr(self, name) is None]
        # Where browsers find us may be said without a provider.
        if missing and any(getattr(self, name) is not None for name in needed[:3]):
            raise ValueError(f"single sign-on also needs {', '.join(missing)}")
        return self

    @property
    def owner_url(self) -> str | None:
        """The URL that migrations run with."""
        return self.migration_database_url or self.database_url


def from_environment(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from ``environment`` (the process's own if None).

    Raises:
        ConfigurationError: names every variable that is wrong.
    """
    source = os.environ if environment is None else environment
    values = {field: source[name] for field, name in _VARIABLES.items() if source.get(name)}
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        lines = [
            ": ".join([*(_VARIABLES[str(name)] for name in item["loc"][:1]), item["msg"]])
            for item in error.errors()
        ]
        raise ConfigurationError("; ".join(lines), "Correct the environment and start again.") from None


def is_safe(url: str) -> bool:
    """Whether what is sent to ``url`` stays secret: https, or http on this machine."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    here = parts.scheme == "http" and parts.hostname in _LOOPBACK
    return bool(parts.hostname) and (parts.scheme == "https" or here)


def without_password(url: str) -> str:
    """``url`` fit for logs and messages."""
    return re.sub(r"(://[^:/@]*):[^@/]*@", r"\1:***@", re.sub(r"(password=)[^&\s]*", r"\1***", url))
