"""The identity provider as one process asks it: what it says of itself, its keys, its answers."""

import asyncio
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import jwt
from pydantic import BaseModel, ConfigDict, ValidationError

from jincai.auth import bounded
from jincai.auth.bounded import Answer, ProviderDownError
from jincai.settings import is_safe

# What the provider says about itself, and its keys, are asked for again after this long.
REMEMBERED_SECONDS = 3600
# A key that is not known yet is looked for, but not more often than this.
KEYS_PAUSE_SECONDS = 60
WORKERS = 2
UNDER_WAY_MOST = 30


class Discovery(BaseModel):
    """What a provider publishes of itself at ``/.well-known/openid-configuration``."""

    model_config = ConfigDict(frozen=True)

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)


class Provider:
    """One identity provider, called ``issuer`` in its tokens."""

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer
        self._workers = ThreadPoolExecutor(WORKERS, thread_name_prefix="sign-on")
        self._under_way = 0
        self._asking = asyncio.Lock()
        self._discovery: Discovery | None = None
        self._discovered_at = 0.0
        self._keys: tuple[jwt.PyJWK, ...] = ()
        self._keys_at = 0.0

    def close(self) -> None:
        """Let the workers end."""
        self._workers.shutdown(wait=False, cancel_futures=True)

    async def discovered(self) -> Discovery:
        """What the provider says of itself.

        Raises:
            ProviderDownError: it says nothing, or something unusable.
        """
        async with self._asking:
            return await self._discovered_by_now()

    async def key(self, kid: str | None, algorithm: str) -> jwt.PyJWK | None:
        """The key called ``kid`` (None: the only one) for ``algorithm``, if the provider publishes it.

        Raises:
            ProviderDownError: it does not answer.
        """
        if found := self._fitting(kid, algorithm):
            return found
        async with self._asking:
            if time.monotonic() - self._keys_at > KEYS_PAUSE_SECONDS or not self._keys:
                discovery = await self._discovered_by_now()
                self._keys = _keys_of(await self.ask(discovery.jwks_uri))
                self._keys_at = time.monotonic()
        return self._fitting(kid, algorithm)

    async def ask(
        self, url: str, fields: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """What `bounded.ask` brings, off the event loop and with few at a time.

        Raises:
            ProviderDownError: as there, or too many ask already.
        """
        if self._under_way >= UNDER_WAY_MOST:
            raise ProviderDownError("too many people are being logged in")
        self._under_way += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._workers, bounded.ask, url, fields, headers)
        finally:
            self._under_way -= 1

    def _fitting(self, kid: str | None, algorithm: str) -> jwt.PyJWK | None:
        if time.monotonic() - self._keys_at > REMEMBERED_SECONDS:
            return None
        fitting = [
            one
            for one in self._keys
            if one.algorithm_name == algorithm
            and one.public_key_use in {None, "sig"}
            and kid in {None, one.key_id}
        ]
        # A token without a key's name can only mean the only one.
        return fitting[0] if len(fitting) == 1 or (fitting and kid is not None) else None

    async def _discovered_by_now(self) -> Discovery:
        if self._discovery and time.monotonic() - self._discovered_at < REMEMBERED_SECONDS:
            return self._discovery
        url = self.issuer.rstrip("/") + "/.well-known/openid-configuration"
        answer = await self.ask(url)
        try:
            found = Discovery.model_validate(answer.content)
        except ValidationError as error:
            raise ProviderDownError(f"{url}: {error}") from error
        if found.issuer != self.issuer:
            raise ProviderDownError(f"{url} is of the issuer {found.issuer[:200]}")
        if not all(map(is_safe, (found.authorization_endpoint, found.token_endpoint, found.jwks_uri))):
            raise ProviderDownError(f"{url} names an address that is neither https nor on this machine")
        self._discovery, self._discovered_at = found, time.monotonic()
        return found


def _keys_of(answer: Answer) -> tuple[jwt.PyJWK, ...]:
    try:
        return tuple(jwt.PyJWKSet.from_dict(answer.content).keys)
    except (jwt.PyJWTError, ValueError, TypeError, KeyError) as error:
        raise ProviderDownError(f"the provider's keys cannot be read: {error}") from error
