"""A local issuer of access tokens. Runs with a Python that has `cryptography`.

`issuer.py new` prints a new issuer: its name, the audience of its tokens, and its private key.
`issuer.py token SUBJECT SECONDS < issuer.json` prints a token of that issuer.
"""

from __future__ import annotations

import base64
import json
import secrets
import sys
import time

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

# Never resolves: only the local stack knows this issuer. Source: RFC 6761, section 6.4.
ISSUER = "https://issuer.invalid"
AUDIENCE = "twolane"


def main(arguments: list[str]) -> None:
    """One of the two commands."""
    match arguments:
        case ["new"]:
            print(json.dumps(new(), indent=2))
        case ["token", subject, seconds]:
            print(token(json.load(sys.stdin), subject, int(seconds)))
        case _:
            sys.exit(__doc__)


def new() -> dict[str, object]:
    """A new issuer with a new key, as a private JSON Web Key (RFC 8037)."""
    private = Ed25519PrivateKey.generate()
    key = {
        "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": secrets.token_hex(8),
        "x": _encoded(private.public_key().public_bytes_raw()), "d": _encoded(private.private_bytes_raw()),
    }  # fmt: skip
    return {"issuer": ISSUER, "audience": AUDIENCE, "key": key}


def token(issuer: dict[str, object], subject: str, seconds: int) -> str:
    """A token of the subject, valid for `seconds` from now."""
    key, now = issuer["key"], int(time.time())
    header = {"alg": "EdDSA", "typ": "JWT", "kid": key["kid"]}
    claims = {"iss": issuer["issuer"], "aud": issuer["audience"], "sub": subject, "iat": now, "exp": now + seconds}
    message = f"{_encoded(json.dumps(header).encode())}.{_encoded(json.dumps(claims).encode())}"
    private = Ed25519PrivateKey.from_private_bytes(base64.urlsafe_b64decode(key["d"] + "=="))
    return f"{message}.{_encoded(private.sign(message.encode()))}"


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


if __name__ == "__main__":
    main(sys.argv[1:])
