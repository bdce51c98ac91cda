"""JSON Web Tokens under one world's secret: signed, read back, and told where they are from and from what else."""

import hmac
from collections.abc import Mapping
from hashlib import sha256

import jwt
import orjson
from jwt import InvalidTokenError
from jwt.utils import base64url_encode

from revdesk_mock.messages import JSON

ALGORITHM = "HS256"
# How the text of a token begins: one for a bounded client and one for a call (documented), and any JWT.
CLIENT_TOKEN_PREFIX, CALLING_TOKEN_PREFIX, JWT_PREFIX = "rdc_", "rvw_", "eyJ"


class Signer:
    """Signs and reads tokens; each names its world in the header (`kid`)."""

    def __init__(self, world_id: str, secret: str) -> None:
        self.world_id = world_id
        self._secret = sha256(secret.encode()).digest()
        # The same for every token, so made once: most of what PyJWT's encode would do again each time.
        header = {"alg": ALGORITHM, "kid": world_id, "typ": "JWT"}
        self._header = base64url_encode(orjson.dumps(header))

    def sign(self, claims: Mapping[str, JSON]) -> str:
        """Return a signed JWT with these claims."""
        content = self._header + b"." + base64url_encode(orjson.dumps(claims))
        return (content + b"." + base64url_encode(hmac.digest(self._secret, content, "sha256"))).decode()

    def read(self, token: str) -> dict[str, JSON]:
        """Return the claims of a JWT signed here; raises ValueError saying why it is none.

        Dates are not checked: they belong to the world's clock, which the caller knows.
        """
        options: JSON = {"verify_exp": False, "verify_nbf": False, "verify_iat": False}
        try:
            claims: dict[str, JSON] = jwt.decode(token, self._secret, algorithms=[ALGORITHM], options=options)
        except InvalidTokenError as error:
            raise ValueError(str(error)) from error
        return claims


def world_of(token: str) -> str | None:
    """Return the id of the world that a token says it is from, unchecked; None for anything that is no JWT."""
    try:
        kid = jwt.get_unverified_header(token).get("kid")
    except InvalidTokenError:
        return None
    return kid if isinstance(kid, str) else None
