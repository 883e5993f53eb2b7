"""The codes of an authenticator app, worked out as RFC 6238 says and by nothing of the site's."""

import base64
import hmac
import struct
import time


def code(secret: str, *, later: int = 0) -> str:
    """Return what an app shows now, or in so many half minutes."""
    counter = struct.pack(">Q", int(time.time()) // 30 + later)
    digest = hmac.digest(base64.b32decode(secret), counter, "sha1")
    place = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[place : place + 4])[0] & 0x7FFFFFFF) % 1_000_000:06}"
