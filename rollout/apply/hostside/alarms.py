"""What a host's own services complain about although they still answer: etcd's alarms, WAL that piles up."""

import os
import subprocess

_TLS = "/etc/etcd/tls"
_SECONDS = 5
# On the leader alone: a standby does not archive. The last try failed, and for two minutes none succeeded:
# after one that failed, as when the storage device restarts, PostgreSQL tries again within a minute.
_ARCHIVING = """
SELECT last_failed_wal FROM pg_stat_archiver
 WHERE NOT pg_is_in_recovery() AND last_failed_time > coalesce(last_archived_time, '-infinity')
   AND coalesce(last_archived_time, pg_postmaster_start_time()) < now() - interval '2 minutes'
"""


def alarms(address: str, database: bool) -> list[str]:
    """One text for each; nothing: none.

    Args:
        address: where etcd listens on this host.
        database: whether PostgreSQL runs here.
    """
    return [*_etcd(address), *(_archiving() if database else [])]


def _etcd(address: str) -> list[str]:
    argv = ["etcdctl", f"--endpoints=https://{address}:2379", "--cacert=/etc/rollout/ca.pem"]
    argv += [f"--cert={_TLS}/host.pem", f"--key={_TLS}/host.key", "alarm", "list"]
    code, said = _run(argv, ETCDCTL_API="3")
    if code:
        return [f"etcd: {said}"]
    # A line names the member by its number, then the alarm.
    return [f"etcd: {line.rpartition('alarm:')[2].strip()}" for line in said.splitlines()]


def _archiving() -> list[str]:
    code, said = _run(["runuser", "-u", "postgres", "--", "psql", "-XAtq", "-c", _ARCHIVING, "postgres"])
    if code:
        return [f"PostgreSQL: {said}"]
    return [f"WAL is not archived: {said}"] if said else []


def _run(argv: list[str], **variables: str) -> tuple[int, str]:
    """Exit code and what was said: on standard output, or of a failure its last line."""
    env = {**os.environ, **variables}
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=_SECONDS, check=False, env=env)
    except (OSError, subprocess.TimeoutExpired) as error:
        return 1, str(error)
    if done.returncode:
        return done.returncode, (done.stderr.strip().splitlines() or ["no answer"])[-1][:300]
    return 0, done.stdout.strip()
