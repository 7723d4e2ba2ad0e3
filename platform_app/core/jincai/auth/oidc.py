"""Single sign-on (单点登录) by OpenID Connect: whom the identity provider signs for comes in."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import quote, urlencode

import jwt

from jincai.auth.bounded import ProviderDownError
from jincai.auth.changes import SUBJECT
from jincai.auth.oidc_flow import Flow
from jincai.auth.oidc_provider import Provider
from jincai.settings import Settings

CALLBACK = "/login/oidc/callback"
ALGORITHMS = ("RS256", "ES256")
# How far the clocks of the two may differ.
LEEWAY_SECONDS = 60
# All questions of one request together.
WAIT_SECONDS = 8.0

_TOKENS = jwt.PyJWT(options={"enforce_minimum_key_length": True})


class TokenError(Exception):
    """The provider does not vouch for anybody: a code it does not accept, a token that does not hold."""


class SignOn:
    """The identity provider, as one process asks it."""

    def __init__(self, issuer: str, client_id: str, secret: str, public_url: str) -> None:
        self.public_url = public_url
        self.issuer = issuer
        self.secret = secret
        self._client_id = client_id
        self._provider = Provider(issuer)

    def close(self) -> None:
        """Let the workers end."""
        self._provider.close()

    async def address(self, flow: Flow) -> str:
        """Where the browser has to go to log in.

        Raises:
            ProviderDownError: the provider does not say.
        """
        async with _in_time():
            discovery = await self._provider.discovered()
        query = urlencode(
            {
                "response_type": "code",
                "scope": "openid",
                "client_id": self._client_id,
                "redirect_uri": self.public_url + CALLBACK,
                "state": flow.state,
                "nonce": flow.nonce,
                "code_challenge": flow.challenge,
                "code_challenge_method": "S256",
            }
        )
        joint = "&" if "?" in discovery.authorization_endpoint else "?"
        return f"{discovery.authorization_endpoint}{joint}{query}"

    async def subject(self, code: str, flow: Flow) -> str:
        """Whom the provider vouches for, who came back with ``code`` from where ``flow`` had led.

        Raises:
            TokenError: the code or the token is refused.
            ProviderDownError: the provider does not answer.
        """
        async with _in_time():
            return await self._vouched(await self._token(code, flow), flow.nonce)

    async def _token(self, code: str, flow: Flow) -> str:
        discovery = await self._provider.discovered()
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.public_url + CALLBACK,
            "code_verifier": flow.verifier,
        }
        headers = {}
        if "client_secret_basic" in discovery.token_endpoint_auth_methods_supported:
            headers["Authorization"] = _basic(self._client_id, self.secret)
        else:
            fields |= {"client_id": self._client_id, "client_secret": self.secret}
        answer = await self._provider.ask(discovery.token_endpoint, fields, headers)
        token = answer.content.get("id_token")
        if answer.status != 200 or not isinstance(token, str):
            raise TokenError(f"no token for this code: {ascii(answer.content.get('error'))[:100]}")
        return token

    async def _vouched(self, token: str, nonce: str) -> str:
        try:
            header = jwt.get_unverified_header(token)
            if header["alg"] not in ALGORITHMS:
                raise TokenError(
                    f"the token is signed by {ascii(header['alg'])[:20]}, not {' or '.join(ALGORITHMS)}"
                )
            key = await self._provider.key(header.get("kid"), header["alg"])
            if key is None:
                raise TokenError("the token is signed with a key that the provider does not publish")
            claims = _TOKENS.decode(
                token,
                key,
                algorithms=list(ALGORITHMS),
                audience=self._client_id,
                issuer=self.issuer,
                leeway=LEEWAY_SECONDS,
                options={"require": ["iss", "sub", "aud", "exp", "iat", "nonce"]},
            )
        except (jwt.PyJWTError, ValueError, TypeError, KeyError) as error:
            raise TokenError(f"the token does not hold: {error}") from error
        if claims["nonce"] != nonce:
            raise TokenError("the token is for another log-in: its nonce differs")
        several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if claims.get("azp", None if several else self._client_id) != self._client_id:
            raise TokenError("the token was issued to another program")
        subject = claims["sub"]
        if not SUBJECT.fullmatch(subject):
            raise TokenError("the token's subject is none")
        return str(subject)


@asynccontextmanager
async def _in_time() -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            yield
    except TimeoutError as error:
        raise ProviderDownError(f"no answer within {WAIT_SECONDS:.0f} seconds") from error


def configured(settings: Settings) -> SignOn | None:
    """The provider of ``settings``; None: people log in with their passwords alone."""
    secret = settings.oidc_client_secret
    if not (settings.oidc_issuer and settings.oidc_client_id and secret and settings.public_url):
        return None
    return SignOn(
        settings.oidc_issuer, settings.oidc_client_id, secret.get_secret_value(), settings.public_url
    )


def _basic(client_id: str, secret: str) -> str:
    # RFC 6749, section 2.3.1: both are form-encoded first.
    pair = f"{quote(client_id, safe='')}:{quote(secret, safe='')}"
    return "Basic " + base64.b64encode(pair.encode()).decode()
