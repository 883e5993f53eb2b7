"""TLS to the databases: what the environment says of it, in libpq's words."""

import ssl
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from pipeline_project import env

MODES = ("disable", "require", "verify-ca", "verify-full")  # not set: libpq's own, which does without where it has to


def options(prefix: str, host: str, *, production: bool, default: dict[str, str]) -> dict[str, str]:
    """Return libpq's parameters for the server `host`, "" where nobody named one, from `<prefix>_SSLMODE` and so on.

    What is not set is as in `default`. Raises ImproperlyConfigured for what makes no sense, and in production for what
    would not prove who answers, unless `disable` says so.
    """
    mode = env.text(f"{prefix}_SSLMODE", default.get("sslmode", "")).lower()
    if mode and mode not in MODES:
        raise ImproperlyConfigured(f"{prefix}_SSLMODE={mode} must be one of {', '.join(MODES)}")
    if host and all(each.startswith(("/", "@")) for each in host.split(",")):
        return {}  # a socket leaves no machine, and libpq passes over all this
    if production and (host or mode) and mode not in ("disable", "verify-full"):
        raise ImproperlyConfigured(
            f"{prefix}_SSLMODE {f'is {mode}' if mode else 'is not set'} and DEBUG is off: set it to verify-full, with "
            f"{prefix}_SSLROOTCERT, so that {host or 'the server'} has to prove who it is, or to disable where nobody "
            "can listen on the way there"
        )
    if mode == "disable":
        return {"sslmode": mode}
    found = _root_certificate(prefix, mode, default) | _client_certificate(prefix, default)
    if mode:
        # Else libpq would rather have Kerberos encrypt, whatever the mode says, and look at no certificate.
        found |= {"sslmode": mode, "gssencmode": "disable"}
    return found


def _root_certificate(prefix: str, mode: str, default: dict[str, str]) -> dict[str, str]:
    name = f"{prefix}_SSLROOTCERT"
    own = env.text(name)
    if not mode.startswith("verify-"):  # the server then has to prove nothing
        if own:
            raise ImproperlyConfigured(
                f"{name} is set but {prefix}_SSLMODE is not verify-full, so that nothing would be held against it: "
                f"set {prefix}_SSLMODE=verify-full, or remove {name}"
            )
        return {}
    # The libpq of psycopg2's wheel would look for those of the machine that it was built on.
    path = ssl.get_default_verify_paths().cafile if own == "system" else own or default.get("sslrootcert")
    if not path:
        raise ImproperlyConfigured(
            f"{prefix}_SSLMODE={mode} takes {name}: set it to the file of the authority that signed the server's "
            "certificate, or to system for those that this machine trusts, if it has a file of them"
        )
    file = _readable(name, path)
    if not _holds_certificates(file):
        raise ImproperlyConfigured(
            f"{name}={path} holds no certificate: it takes the authority's in PEM, which begins with "
            "-----BEGIN CERTIFICATE-----"
        )
    return {"sslrootcert": file}


def _holds_certificates(file: str) -> bool:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(file)
    except ssl.SSLError:
        return False
    return context.cert_store_stats()["x509"] > 0  # a list of revoked certificates holds none


def _client_certificate(prefix: str, default: dict[str, str]) -> dict[str, str]:
    names = {"sslcert": f"{prefix}_SSLCERT", "sslkey": f"{prefix}_SSLKEY"}
    own = {option: path for option, name in names.items() if (path := env.text(name))}
    if not own:
        return {option: default[option] for option in names if option in default}
    if len(own) < len(names):
        raise ImproperlyConfigured(f"{' and '.join(names.values())} go together: set both, or remove both")
    files = {option: _readable(names[option], path) for option, path in own.items()}
    try:
        # The empty passphrase is libpq's, too; without one Python would ask for it at the terminal.
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(files["sslcert"], files["sslkey"], password=str)
    except ssl.SSLError as error:
        raise ImproperlyConfigured(
            f"{prefix}_SSLCERT={own['sslcert']} and {prefix}_SSLKEY={own['sslkey']} are no certificate and its own "
            "private key: both take PEM, and the key has no passphrase"
        ) from error
    return files


def _readable(name: str, path: str) -> str:
    try:
        Path(path).read_bytes()
    except OSError as error:
        raise ImproperlyConfigured(f"{name}={path} cannot be read: {error.strerror}") from error
    return str(Path(path).absolute())  # init-db.sh works in another folder
