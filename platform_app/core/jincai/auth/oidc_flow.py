"""One log-in by way of the identity provider, from leaving to coming back: a signed cookie in the browser."""

import base64
import hashlib
import hmac
import json
import secrets
import time
from dataclasses import dataclass

COOKIE = "jincai_sign_on"
PATH = "/login/oidc"
# How long somebody may take at the provider.
SECONDS = 600
NEXT_MOST = 1000


@dataclass(frozen=True)
class Flow:
    """One log-in under way.

    What must be guessed by nobody is derived from the cookie with the client's secret, so the browser's
    cookie alone gives none of it away, and any process of the platform can go on.

    Attributes:
        cookie: what the browser keeps meanwhile.
        next: where it goes afterwards, a path of ours.
        state: what the provider hands back, so that nobody is made to come back who did not leave.
        nonce: what the token must repeat.
        verifier: what proves to the provider that it is us who had sent the browser.
    """

    cookie: str
    next: str
    state: str
    nonce: str
    verifier: str

    @property
    def challenge(self) -> str:
        """The verifier's SHA-256, which the browser takes along (PKCE, S256)."""
        return _text(hashlib.sha256(self.verifier.encode()).digest())


def begin(secret: str, target: str) -> Flow:
    """A new log-in that leads to ``target``, a path of ours."""
    kept = {
        "seed": secrets.token_urlsafe(32),
        "until": int(time.time()) + SECONDS,
        "next": target if len(target) <= NEXT_MOST else "/",
    }
    content = _text(json.dumps(kept).encode())
    return _flow(secret, f"{content}.{_derived(secret, 'cookie', content)}", content, str(kept["next"]))


def resume(secret: str, cookie: str, state: str) -> Flow | None:
    """The log-in that ``cookie`` began and that ``state`` came back to; None: none of ours, or too late."""
    content, _, signature = cookie.partition(".")
    if not hmac.compare_digest(signature.encode(), _derived(secret, "cookie", content).encode()):
        return None
    kept = json.loads(base64.urlsafe_b64decode(content + "=="))
    found = _flow(secret, cookie, content, kept["next"])
    fits = hmac.compare_digest(found.state.encode(), state.encode())
    return found if fits and time.time() < kept["until"] else None


def _flow(secret: str, cookie: str, content: str, target: str) -> Flow:
    state, nonce, verifier = (_derived(secret, use, content) for use in ("state", "nonce", "verifier"))
    return Flow(cookie, target, state, nonce, verifier)


def _derived(secret: str, use: str, content: str) -> str:
    return _text(hmac.digest(secret.encode(), f"jincai sign-on {use} {content}".encode(), "sha256"))


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
