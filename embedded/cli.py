"""The command line of `./recount`: some commands of its own, the rest handed on."""

import argparse
import sys
from pathlib import Path

from embedded import handover
from embedded.environment import variables_given
from embedded.errors import EmbeddedError, UnfitDatabase
from embedded.folders import ROOT, folders_from
from embedded.logs import show
from embedded.status import status
from tasks.shop.bad_setting import EX_CONFIG, BadSetting

INTERRUPTED = 130


def main(arguments: list[str]) -> int:
    try:
        return run(arguments)
    except BadSetting as error:
        print(f"recount: {error}", file=sys.stderr)
        return EX_CONFIG
    except UnfitDatabase as error:
        print(f"recount: {error}", file=sys.stderr)
        return EX_CONFIG
    except EmbeddedError as error:
        print(f"recount: {str(error) or type(error).__doc__}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        return 1
    except OSError as error:
        # A full disk, a folder that may not be written to, no more processes.
        print(f"recount: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED


def run(arguments: list[str]) -> int:
    # Imported where they are run: all others would pay for the drivers and the engine,
    # and the order desk's own commands would do so twice.
    match arguments:
        case ["up", *options]:
            from embedded.up import up

            return up(up_parser().parse_args(options).procfile)
        case ["test", *options]:
            from embedded.suite import test

            return test(options)
        case ["bench", *options]:
            from embedded.bench import bench

            bench(options)
        case ["faults", *options]:
            from embedded.bench import faults

            faults(options)
        case ["logs", *options]:
            return logs(logs_parser().parse_args(options))
        case ["tour", *options]:
            from embedded.tour.tour import tour

            return tour(options)
        case ["down"]:
            from embedded.down import down

            return down()
        case ["migrate"]:
            return handover.migrate()
        case ["status"]:
            return status()
        case [] | ["help"] | ["-h"] | ["--help"]:
            print((ROOT / "embedded" / "help.txt").read_text(), end="")
        case _:
            handover.become(arguments)
    return 0


def up_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="recount up")
    parser.add_argument(
        "--procfile", type=Path, default=ROOT / "Procfile", metavar="FILE"
    )
    return parser


def logs_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="recount logs")
    parser.add_argument("name", nargs="?", help="one process, like web")
    parser.add_argument("-f", "--follow", action="store_true", help="show new lines")
    parser.add_argument("-n", "--lines", type=int, default=100, metavar="COUNT")
    return parser


def logs(options: argparse.Namespace) -> int:
    paths = sorted(folders_from(variables_given()).logs.glob("*.log"))
    chosen = [path for path in paths if options.name in (None, path.stem)]
    if not chosen:
        names = ", ".join(path.stem for path in paths) or "none yet"
        raise EmbeddedError(f"no log of that name; there are: {names}")
    show(chosen, count=options.lines, follow=options.follow)
    return 0
