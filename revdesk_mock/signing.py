"""JSON Web Tokens under one world's secret: signed, read back, and told where they are from."""

from collections.abc import Mapping
from hashlib import sha256

import jwt
import orjson
from jwt import InvalidTokenError
from jwt.algorithms import HMACAlgorithm
from jwt.api_jws import PyJWS

from revdesk_mock.messages import JSON

ALGORITHM = "HS256"


class PreparedHMAC(HMACAlgorithm):
    """HMAC with a key that is ready to use: ours is made here, so it need not be examined for every token."""

    def prepare_key(self, key: str | bytes) -> bytes:
        """Return the key as it is."""
        return key.encode() if isinstance(key, str) else key


class Signer:
    """Signs and reads tokens; each names its world in the header (`kid`)."""

    def __init__(self, world_id: str, secret: str) -> None:
        self._header = {"kid": world_id}
        self._secret = sha256(secret.encode()).digest()
        self._jws = PyJWS(algorithms=[])
        self._jws.register_algorithm(ALGORITHM, PreparedHMAC(HMACAlgorithm.SHA256))

    def sign(self, claims: Mapping[str, JSON]) -> str:
        """Return a signed JWT with these claims."""
        return self._jws.encode(orjson.dumps(claims), self._secret, ALGORITHM, self._header)

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
