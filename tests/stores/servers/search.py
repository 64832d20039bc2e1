"""A server of the Elasticsearch family: OpenSearch, one node in its own process."""

import json
import os
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from embedded.child import Program
from embedded.environment import for_servers
from tests.stores.servers.programs import HERE, OPENSEARCH
from tests.stores.servers.server import Server, free_port

IS_READY = (
    "/_cluster/health?wait_for_status=yellow&wait_for_no_initializing_shards=true"
)
"""Not green: an index that asks for a replica never gets it from a single node."""


class SearchServer(Server):
    """
    OpenSearch 2.19. The shop's own tests never ran on Elasticsearch 8 or 9.

    *heap* is the size of the Java heap. *settings* are those of the node, like
    `thread_pool.write.queue_size`; those of an index are given to the index. With
    *quick_start* Java compiles less well and starts sooner: switch it off to measure.
    Raises Unavailable where OpenSearch is not built.
    """

    def __init__(
        self,
        folder: Path,
        *,
        heap: str = "512m",
        settings: Mapping[str, str] | None = None,
        quick_start: bool = True,
    ) -> None:
        super().__init__(folder / "data")
        self.built = OPENSEARCH.find()
        self.home = folder
        self.heap = heap
        self.settings = dict(settings or {})
        self.quick_start = quick_start
        self.port = free_port()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def program(self) -> Program:
        self.folder.mkdir(parents=True, exist_ok=True)
        options = [f"-Xms{self.heap}", f"-Xmx{self.heap}", "-XX:+UseSerialGC"]
        if self.quick_start:
            options.append("-XX:TieredStopAtLevel=1")
        options += ["-Djava.awt.headless=true", "-Dlog4j2.disable.jmx=true"]
        options.append(
            f"-Dlog4j2.configurationFile={HERE}/opensearch/log4j2.properties"
        )
        options.append(f"-Djava.io.tmpdir={self.home}")
        settings = [f"{name}={value}" for name, value in self.settings.items()]
        return Program(
            name="opensearch",
            command=[
                *("java", *options),
                *("-cp", f"{self.built}/classes:{self.built}/lib/*", "SearchServer"),
                *(str(self.port), os.fspath(self.home), *settings),
            ],
            environment=for_servers(os.environ),
            folder=self.home,
            log=self.home / "opensearch.log",
        )

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(
                f"{self.url}{IS_READY}&timeout=2s", timeout=5
            ) as response:
                return not json.load(response)["timed_out"]
        except (OSError, ValueError):
            return False
