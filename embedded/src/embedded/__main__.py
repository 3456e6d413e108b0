"""`python -m embedded up|down|status|logs`: what the Makefile calls."""

import argparse
import asyncio
import errno
import os
import sys
from collections.abc import Sequence

from embedded.errors import CannotStart
from embedded.stack import Stack


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what was asked. Whatever is in the way is told in one line, never in a traceback."""
    asked = _parser().parse_args(arguments)
    try:
        return _do(asked, Stack.from_environment())
    except CannotStart as exc:
        print(exc, file=sys.stderr)
    except KeyboardInterrupt:
        if asked.command == "up":
            print("\nIt goes on in the background: make status shows how, make down stops it.", file=sys.stderr)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader left; the exit must not complain
        return 0
    except OSError as exc:
        print(_one_line(exc), file=sys.stderr)
    return 1


def _do(asked: argparse.Namespace, stack: Stack) -> int:
    # Each command imports what it needs: a repeated `make up` should take no time.
    match asked.command:
        case "up":
            from embedded.up import up

            return up(stack, frozenset(asked.without), print)
        case "down":
            from embedded.running import alone, stop

            with alone(stack):
                print("Nexus has stopped." if stop(stack) else "Nexus is not running.")
            return 0
        case "status":
            from embedded.status import status

            return status(stack)
        case "logs":
            from embedded.following import follow

            return follow(stack, asked.part)
        case _:
            from embedded.supervise import supervise

            asyncio.run(supervise(stack, frozenset(asked.without)))
            return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="embedded", description="The whole stack on this machine, without Docker.")
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="start everything and wait until it is ready")
    supervise = commands.add_parser("supervise", help="what `up` leaves running in the background")
    for command in (up, supervise):
        command.add_argument("--without", action="append", default=[], metavar="PART", help="leave this part out")
    commands.add_parser("down", help="stop everything")
    commands.add_parser("status", help="show every part")
    logs = commands.add_parser("logs", help="follow the logs")
    logs.add_argument("part", nargs="?", help="of this part alone")
    return parser


def _one_line(exc: OSError) -> str:
    if exc.errno == errno.ENOSPC:
        return f"The disk is full ({exc.filename}): free some space, or set NEXUS_STATE_DIR to a folder on another disk"
    return f"{exc.strerror or type(exc).__name__}: {exc.filename or exc}"


if __name__ == "__main__":
    sys.exit(main())
