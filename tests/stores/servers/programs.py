"""Which programs are built for the tests, and of what: OpenSearch and FerretDB."""

import hashlib
from pathlib import Path

from tests.stores.servers.building import BuildFailed, Recipe, Unavailable, run

HERE = Path(__file__).resolve().parent

COPY_DEPENDENCIES = (
    "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
)
JAVA_OPTIONS = ("-proc:none", "--release", "17")
GO_OPTIONS = ("-mod=readonly", "-tags", "ferretdb_no_sqlite")
NOTHING = "{{with .Error}}{{.}}{{end}}"
"""A template of `go list`, of which only errors are wanted."""
LINK_OPTIONS = ("-trimpath", "-ldflags=-s -w")


def make_opensearch(folder: Path) -> None:
    """
    Put the libraries that pom.xml names into `lib`, and our class into `classes`.

    Maven fetches the libraries, and nothing of it is needed later: each of them is held
    against SHA256SUMS, and no other file may lie beside them.
    """
    sources = HERE / "opensearch"
    libraries = folder / "lib"
    fetch = ["mvn", "-B", "-q", "-ntp", "-C", "-f", f"{sources}/pom.xml"]
    fetch += [COPY_DEPENDENCIES, f"-DoutputDirectory={libraries}"]
    fetched = run(fetch, folder)
    if "hecksum validation failed" in fetched.output:
        raise BuildFailed(f"a library is not what its registry says:\n{fetched.end}")
    if fetched.status:
        raise Unavailable(f"Maven could not fetch OpenSearch: {fetched.first_error}")
    compare_checksums(libraries, (sources / "SHA256SUMS").read_text())
    compiled = run(
        [
            *("javac", *JAVA_OPTIONS),
            *("-cp", f"{libraries}/*", "-d", folder / "classes"),
            sources / "SearchServer.java",
        ],
        folder,
    )
    if compiled.status:
        raise BuildFailed(f"javac failed:\n{compiled.end}")


def compare_checksums(folder: Path, expected: str) -> None:
    """
    Raise BuildFailed unless *folder* has just the files of *expected*, unchanged.

    *expected* has the form of `sha256sum`: a line of digest and name for each file.
    """
    pairs = [line.split() for line in expected.splitlines()]
    wanted = {name: digest for digest, name in pairs}
    found = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.iterdir()
    }
    if found != wanted:
        differing = {name for name, _ in found.items() ^ wanted.items()}
        raise BuildFailed(
            f"not as SHA256SUMS says: {', '.join(sorted(differing))}; if pom.xml was"
            " changed on purpose, write the sums of the new libraries"
        )


def make_ferretdb(folder: Path) -> None:
    """
    Compile `ferretdb/main.go`, with PostgreSQL behind it, to the program `documents`.

    go.sum has the checksums of all modules; Go itself holds what it fetches against it.
    """
    sources = HERE / "ferretdb"
    variables = {"GOFLAGS": "-buildvcs=false"}
    fetched = run(
        ["go", "list", *GO_OPTIONS, "-deps", "-f", NOTHING, "."], sources, variables
    )
    for word in ("checksum mismatch", "SECURITY ERROR", "missing go.sum entry"):
        if word in fetched.output:
            raise BuildFailed(f"a module is not what go.sum says:\n{fetched.end}")
    if fetched.status:
        raise Unavailable(f"Go could not fetch FerretDB: {fetched.first_error}")
    compiled = run(
        [
            *("go", "build", *GO_OPTIONS, *LINK_OPTIONS),
            *("-o", folder / "documents", "."),
        ],
        sources,
        variables,
    )
    if compiled.status:
        raise BuildFailed(f"go build failed:\n{compiled.end}")


def files(name: str) -> list[Path]:
    return sorted((HERE / name).iterdir())


OPENSEARCH = Recipe(
    name="opensearch",
    inputs=files("opensearch"),
    options=JAVA_OPTIONS,
    tools=("java", "javac", "mvn"),
    make=make_opensearch,
)

FERRETDB = Recipe(
    name="ferretdb",
    inputs=files("ferretdb"),
    options=GO_OPTIONS + LINK_OPTIONS,
    tools=("go",),
    make=make_ferretdb,
)

ALL = (OPENSEARCH, FERRETDB)
