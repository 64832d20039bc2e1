"""
What keeps `up` or `test` from starting, each in a sentence for its user.

EmbeddedError
├── AlreadyRunning      another one runs from the same data folder
├── BinariesMissing     no PostgreSQL or Redis to start
├── CannotStart         a process dies again and again, or does not answer
├── DataInTwoPlaces     two data folders, and no way to tell which is the right one
├── FolderOfAnother     somebody else made our folder before us
├── MigrationFailed     Alembic gave up
├── NotUp               a command needs a running `up`
├── PortTaken           PORT was asked for, and somebody listens there
└── UnfitDatabase       the database that was named cannot keep what it is given
"""


class EmbeddedError(Exception):
    """The root of the errors that are shown as one line, without a traceback."""


class AlreadyRunning(EmbeddedError):
    """Another one runs from the same data folder."""


class BinariesMissing(EmbeddedError):
    """There is no server to start."""


class CannotStart(EmbeddedError):
    """A process ends repeatedly, or does not answer."""


class DataInTwoPlaces(EmbeddedError):
    """Two folders hold a database, and only one of them can be the right one."""


class FolderOfAnother(EmbeddedError):
    """A folder that must be private belongs to another user."""


class MigrationFailed(EmbeddedError):
    """Alembic gave up."""


class NotUp(EmbeddedError):
    """Recount is not up: start it with ./recount up, or set DATABASE_URL."""


class PortTaken(EmbeddedError):
    """Somebody listens on the port that PORT asks for."""


class UnfitDatabase(EmbeddedError):
    """The configured database can lose data."""


class StopRequested(BaseException):
    """A signal asked to stop before all was up; not an error, nor caught as one."""
