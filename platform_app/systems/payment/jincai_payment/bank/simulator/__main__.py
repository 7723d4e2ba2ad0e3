"""`python -m jincai_payment.bank.simulator`: a bank as a process of its own."""

import argparse
import json
import os
import signal
import sys
import threading
from collections.abc import Sequence
from urllib.parse import urlsplit

from jincai.errors import Exit

from jincai_payment.bank.simulator.bank import Bank
from jincai_payment.bank.simulator.conduct import Conduct
from jincai_payment.bank.simulator.socket import AwayError, RefusedError, Socket


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the bank until SIGTERM or, with ``--once``, until nothing is left; prints what it did as JSON.

    Exit codes: 0 done; 2 usage, or the platform refuses; 3 the platform stayed away.
    """
    parser = _parser()
    given = parser.parse_args(arguments)
    key = os.environ.get(given.key_env, "")
    if not key:
        parser.error(f"{given.key_env} is empty: put the bank's API key there")
    if urlsplit(given.url).scheme not in {"http", "https"}:
        parser.error(f"--url {given.url}: an http or https address")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    bank = Bank(_socket(given, key), _conduct(given), stop, given.patience)
    try:
        bank.run(once=given.once)
    except AwayError as error:
        return _ended(bank, Exit.UNREACHABLE, f"{given.url} stayed away: {error}")
    except RefusedError as error:
        return _ended(bank, Exit.USAGE, f"{given.url} refuses: {error}")
    return _ended(bank, Exit.OK)


def _ended(bank: Bank, code: Exit, message: str = "") -> int:
    print(json.dumps(dict(sorted(bank.counts.items()))))
    if message:
        print(f"bank: {message}", file=sys.stderr)
    return code


def _socket(given: argparse.Namespace, key: str) -> Socket:
    asked = {
        "division": given.division,
        "pay_from": given.pay_from,
        "pay_to": given.pay_to,
        "limit": given.limit,
        "lease_seconds": given.lease_seconds,
    }
    wanted = {name: value for name, value in asked.items() if value not in (None, [])}
    return Socket(given.url.rstrip("/"), key, wanted, given.trust)


def _conduct(given: argparse.Namespace) -> Conduct:
    return Conduct(given.seed, given.refuse, given.refund, given.repeat, given.delay, given.shuffle)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m jincai_payment.bank.simulator",
        description="代理银行模拟器: a bank to try the platform with.",
    )
    add = parser.add_argument
    add("--url", required=True, help="address of the platform")
    add("--key-env", default="JINCAI_BANK_KEY", help="variable that holds the API key")
    add("--trust", help="file of the authority that signed the platform's certificate")
    add("--division", action="append", default=[], help="only this division; may be given several times")
    add("--pay-from", help="first day of payments wanted, YYYY-MM-DD")
    add("--pay-to", help="last day of payments wanted; today")
    add("--limit", type=int, default=200, help="instructions taken at once")
    add("--lease-seconds", type=int, default=900, help="in which it promises to answer")
    add("--seed", type=int, default=1, help="which payments fail, repeat, come back")
    add("--delay", type=_seconds, default=0.0, help="seconds until it answers, at most")
    add("--refuse", type=_share, default=0.0, help="share that fails")
    add("--refund", type=_share, default=0.0, help="share that comes back after it was paid")
    add("--repeat", type=_share, default=0.0, help="share of receipts told again")
    add("--shuffle", action="store_true", help="receipts in any order")
    add("--patience", type=_seconds, help="seconds that the platform may be away; for ever")
    add("--once", action="store_true", help="end when nothing is left to take or to tell")
    return parser


def _share(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 1")
    return value


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 86_400:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 86400")
    return value


if __name__ == "__main__":
    sys.exit(main())
