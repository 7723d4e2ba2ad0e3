"""A small OpenID Connect provider on loopback, with keys of its own and moods to try the platform with."""

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, parse_qsl, unquote, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

CLIENT = "jincai"
SECRET = "a-secret-shared-by-the-two"
RSA = rsa.generate_private_key(65537, 2048)
SMALL = rsa.generate_private_key(65537, 1024)  # noqa: S505 - to be refused
OTHER = rsa.generate_private_key(65537, 2048)
CURVE = ec.generate_private_key(ec.SECP256R1())

Claims = dict[str, Any]


def signed(claims: Claims, key: Any = RSA, algorithm: str = "RS256", kid: str = "one") -> str:
    """A token."""
    return jwt.encode(claims, key, algorithm, headers={"kid": kid})


def without_signature(claims: Claims) -> str:
    """A token with ``alg`` none."""
    return jwt.encode(claims, None, "none", headers={"kid": "one"})


def by_public_key(claims: Claims) -> str:
    """A token signed as HS256 with the text of the public key, which everybody has."""
    text = RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    parts = [
        _text(json.dumps(one).encode()) for one in ({"alg": "HS256", "typ": "JWT", "kid": "one"}, claims)
    ]

    return ".".join([*parts, _text(hmac.digest(text, ".".join(parts).encode(), "sha256"))])


class Provider:
    """What the provider knows; tests change it.

    Attributes:
        url: its issuer.
        person: whom the next authorization is for.
        alter: changes the claims of the next token.
        sign: makes a token of claims.
        asked: paths that were asked, in order.
        shows_page: whether people see a page of the provider's, as usual, before they go back.
        answer: instead of everything, if set: status and body.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.codes: dict[str, dict[str, str]] = {}
        self.asked: list[str] = []
        self.seconds = 0.0
        self.reset()

    def reset(self) -> None:
        """As at first."""
        self.person = "w-1001"
        self.alter: Callable[[Claims], Claims] = lambda claims: claims
        self.sign: Callable[[Claims], str] = signed
        self.answer: tuple[int, bytes] | None = None
        self.keys = [_jwk(RSA, "one"), _jwk(CURVE, "two"), _jwk(SMALL, "small")]
        self.basic = True
        self.shows_page = False

    def discovery(self) -> dict[str, object]:
        methods = ["client_secret_basic", "client_secret_post"] if self.basic else ["client_secret_post"]
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
            "token_endpoint_auth_methods_supported": methods,
        }

    def authorize(self, asked: dict[str, str]) -> str:
        """Where the browser is sent back to: the person has logged in."""
        assert asked["response_type"] == "code"
        assert asked["scope"] == "openid"
        assert asked["client_id"] == CLIENT
        assert asked["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked | {"sub": self.person}
        query = urlencode({"code": code, "state": asked["state"], "iss": self.url})
        return f"{asked['redirect_uri']}?{query}"

    def token(self, given: dict[str, str], authorization: str) -> tuple[int, dict[str, object]]:
        """The token endpoint: a code is good once, for its client, its address and its verifier."""
        if authorization:
            pair = base64.b64decode(authorization.removeprefix("Basic ")).decode()
            client = tuple(map(unquote, pair.split(":")))
        else:
            client = (given.get("client_id", ""), given.get("client_secret", ""))
        if client != (CLIENT, SECRET) or bool(authorization) != self.basic:
            return 401, {"error": "invalid_client"}
        asked = self.codes.pop(given["code"], None)
        verifier = _text(hashlib.sha256(given["code_verifier"].encode()).digest())
        if not asked or verifier != asked["code_challenge"] or given["redirect_uri"] != asked["redirect_uri"]:
            return 400, {"error": "invalid_grant"}
        now = int(time.time())
        claims: Claims = {
            "iss": self.url,
            "sub": asked["sub"],
            "aud": CLIENT,
            "nonce": asked["nonce"],
            "iat": now,
            "exp": now + 300,
        }
        return 200, {"access_token": "x", "token_type": "Bearer", "id_token": self.sign(self.alter(claims))}


class _Handler(BaseHTTPRequestHandler):
    provider: Provider

    def do_GET(self) -> None:
        self.provider.asked.append(self.path)
        address = urlsplit(self.path)
        if address.path == "/authorize":
            back = self.provider.authorize(dict(parse_qsl(address.query)))
            self.send_response(200 if self.provider.shows_page else 302)
            self.send_header("Content-Type", "text/html")
            self.send_header("Location", back)
            self.end_headers()
            self.wfile.write(f'<a href="{escape(back)}">yes</a>'.encode())
            return
        found = {
            "/.well-known/openid-configuration": self.provider.discovery(),
            "/keys": {"keys": self.provider.keys},
        }
        self._answer(200, found[address.path])

    def do_POST(self) -> None:
        self.provider.asked.append(self.path)
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        given = {name: values[0] for name, values in parse_qs(body).items()}
        self._answer(*self.provider.token(given, self.headers.get("Authorization", "")))

    def _answer(self, status: int, content: dict[str, object]) -> None:
        time.sleep(self.provider.seconds)
        body = json.dumps(content).encode()
        if self.provider.answer:
            status, body = self.provider.answer
        self.send_response(status)
        if status == 302:
            self.send_header("Location", f"{self.provider.url}/keys")
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing: what the tests want to know is in ``asked``."""


@contextmanager
def running() -> Iterator[Provider]:
    """A provider that runs."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    provider = Provider(f"http://127.0.0.1:{server.server_port}")
    server.RequestHandlerClass = type("Handler", (_Handler,), {"provider": provider})
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _jwk(key: Any, kid: str) -> dict[str, Any]:
    kind = jwt.algorithms.RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else jwt.algorithms.ECAlgorithm
    found = json.loads(kind.to_jwk(key.public_key()))
    return {**found, "kid": kid, "use": "sig", "alg": "RS256" if found["kty"] == "RSA" else "ES256"}


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
