"""An OpenID Connect provider on this machine: oidc-provider-mock, a process of its own that signs its tokens.

It tells the truth unless it is told what to say instead in its next ID tokens: other claims, or another's signature.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import requests

CLIENT, SECRET = "msk-warehouse", "the-secret-of-the-client"
SECONDS = 60


class LoginProvider:
    """The process, and what is asked of it."""

    def __init__(self) -> None:
        from tests.ingest.runs.test_failures import own_port  # here, as the process itself knows no Django

        self.issuer = f"http://localhost:{own_port()}"
        self.process = subprocess.Popen(
            [sys.executable, Path(__file__), self.issuer.rpartition(":")[2]],
            env=os.environ | {"AUTHLIB_INSECURE_TRANSPORT": "1"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        ends = time.monotonic() + SECONDS
        while not self._answers():
            assert self.process.poll() is None, "the provider did not start"
            assert time.monotonic() < ends, "the provider does not answer"
            time.sleep(0.1)

    def _answers(self) -> bool:
        try:
            return requests.get(f"{self.issuer}/jwks", timeout=SECONDS).ok
        except requests.ConnectionError:
            return False

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=SECONDS)

    def knows(self, sub: str, **claims: Any) -> None:
        """Let it know a user, of whom it says so much."""
        answer = requests.put(f"{self.issuer}/users/{sub}", json=claims, timeout=SECONDS)
        assert answer.ok, answer.text

    def says(self, **claims: Any) -> None:
        """Let it say this in its ID tokens, in place of what is true; None leaves a claim out."""
        assert requests.put(f"{self.issuer}/says", json=claims, timeout=SECONDS).ok


def serve(port: int) -> None:
    import flask
    import jwt
    import oidc_provider_mock
    import werkzeug.serving
    from cryptography.hazmat.primitives.asymmetric import rsa

    app = oidc_provider_mock.app()
    changes: dict[str, Any] = {}

    @app.put("/says")
    def says() -> str:
        changes.clear()
        changes.update(flask.request.get_json())
        return ""

    @app.after_request
    def change(response: Any) -> Any:
        if flask.request.path != "/oauth2/token" or not changes or response.status_code != 200:
            return response
        answer = response.get_json()
        key = jwt.PyJWK(flask.g.oidc_provider_mock_storage.jwk.as_dict(is_private=True))
        claims = jwt.decode(answer["id_token"], options={"verify_signature": False})
        headers = {"kid": key.key_id}
        said = dict(changes)
        signer = key.key
        if said.pop("forged", False):
            signer = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        claims = {name: value for name, value in (claims | said).items() if value is not None}
        answer["id_token"] = jwt.encode(claims, signer, algorithm="RS256", headers=headers)
        response.set_data(json.dumps(answer))
        return response

    werkzeug.serving.run_simple("localhost", port, app, threaded=True)


if __name__ == "__main__":
    serve(int(sys.argv[1]))
