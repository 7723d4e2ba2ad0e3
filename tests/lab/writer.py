"""Runs on a minicomputer: inserts rows one by one and says which were acknowledged, and when.

Usage: python writer.py SECONDS; prints one JSON line per acknowledged row: [number, monotonic seconds].
"""

import json
import os
import sys
import time

import psycopg


def main(seconds: float) -> None:
    address = os.environ["JINCAI_DATABASE_URL"]
    end = time.monotonic() + seconds
    number = 0
    connection = None
    while time.monotonic() < end:
        number += 1
        try:
            connection = connection or psycopg.connect(address, autocommit=True, connect_timeout=2)
            notices: list[str] = []
            connection.add_notice_handler(lambda n, seen=notices: seen.append(n.message_primary or ""))
            connection.execute("INSERT INTO public.drill (number) VALUES (%s)", (number,))
            # A commit that warns of a cancelled synchronous wait is not acknowledged.
            if not any("synchronous" in notice for notice in notices):
                print(json.dumps([number, time.monotonic()]), flush=True)
        except psycopg.Error:
            if connection is not None:
                connection.close()
            connection = None
            time.sleep(0.1)


main(float(sys.argv[1]))
