"""What we took from others is what they published."""

import hashlib
from pathlib import Path

import webapp

VENDOR = Path(webapp.__file__).parent / "static" / "vendor"


def sums() -> dict[str, str]:
    lines = (VENDOR / "SHA256SUMS").read_text().splitlines()
    return {name: digest for digest, name in (line.split() for line in lines)}


def test_every_vendored_file_has_the_sum_it_came_with() -> None:
    found = {
        path.relative_to(VENDOR).as_posix(): hashlib.sha256(
            path.read_bytes()
        ).hexdigest()
        for path in VENDOR.glob("*/*")
    }

    assert found == sums()


def test_every_vendored_package_has_its_licence() -> None:
    assert all((folder / "LICENSE").exists() for folder in VENDOR.glob("*/"))
