"""
The local secrets: a token for this computer's programs, and logins for a browser.

All are derived from the shop's `SECRET_KEY`, so every web process can check them. They
are in the data folder, which only its owner can read: `header`, a line for programs
(`curl -H @FILE`), and in `logins` an empty file for each address that logs one browser
in. The file's name is a digest; it is removed when used.
"""

import hashlib
import hmac
import secrets
from pathlib import Path

HOST = "127.0.0.1"
"""The only host name for browsers: a cookie of `localhost` is not sent to it."""

HEADER_FILE = "header"
LOGINS = "logins"


def derive_secret(secret_key: str, purpose: str) -> str:
    """Return a secret of 64 hexadecimal digits that tells nothing about the key."""
    return hmac.digest(secret_key.encode(), purpose.encode(), "sha256").hex()


def shop_id(secret_key: str) -> str:
    """Return the public id of this shop, unique on this computer."""
    return derive_secret(secret_key, "recount: the id of this shop")[:10]


def local_token(secret_key: str) -> str:
    """Return the token for programs of this computer."""
    return f"local_{derive_secret(secret_key, 'recount: programs of this computer')}"


def authorization(secret_key: str) -> str:
    """Return the value of the header Authorization with that token."""
    return f"Bearer {local_token(secret_key)}"


def new_cookie(secret_key: str) -> str:
    """Return the cookie of a logged-in browser: a random name and its signature."""
    name = secrets.token_hex(8)
    return f"{name}.{seal_of(secret_key, name)}"


def is_cookie(secret_key: str, value: str) -> bool:
    """Return whether *value* is a cookie that `new_cookie` made."""
    name, _, seal = value.partition(".")
    return hmac.compare_digest(seal.encode(), seal_of(secret_key, name).encode())


def seal_of(secret_key: str, name: str) -> str:
    return derive_secret(secret_key, f"recount: browser of this computer {name}")


def header_file(folder: Path) -> Path:
    """Return the path of the header for programs in the data *folder*."""
    return folder / HEADER_FILE


def write_header(folder: Path, secret_key: str) -> Path:
    """Write the header for programs into the data *folder*, and return the file."""
    path, line = header_file(folder), f"Authorization: {authorization(secret_key)}\n"
    if not path.exists() or path.read_text() != line or path.stat().st_mode & 0o077:
        make_folder(folder)
        partial = path.with_suffix(".new")
        partial.unlink(missing_ok=True)
        partial.touch(mode=0o600)
        partial.write_text(line)
        partial.replace(path)
    return path


def read_authorization(path: Path) -> str:
    """Return the value of the header that `write_header` has written."""
    return path.read_text().partition(":")[2].strip()


def new_login(folder: Path) -> str:
    """Return a new secret that logs one browser in, once."""
    make_folder(folder)
    make_folder(folder / LOGINS)
    secret = secrets.token_urlsafe(32)
    file_of(folder, secret).touch(mode=0o600)
    return secret


def forget_logins(folder: Path) -> None:
    """Invalidate all unused secrets."""
    for path in (folder / LOGINS).glob("*"):
        path.unlink(missing_ok=True)


def is_unused(folder: Path, secret: str) -> bool:
    """Return whether *secret* is valid and unused."""
    try:
        return file_of(folder, secret).exists()
    except PermissionError:
        # `spend` will find out.
        return True


def spend(folder: Path, secret: str) -> bool:
    """
    Use *secret* up, and return whether it was valid.

    Of concurrent processes only one unlinks the file. Raises OSError if the folder
    cannot be written.
    """
    try:
        file_of(folder, secret).unlink()
    except FileNotFoundError:
        return False
    return True


def address_of(port: int, secret: str) -> str:
    """Return the address to open in a browser."""
    return f"http://{HOST}:{port}/login/{secret}"


def file_of(folder: Path, secret: str) -> Path:
    digest = hashlib.sha256(secret.encode(errors="surrogateescape")).hexdigest()
    return folder / LOGINS / digest


def make_folder(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
