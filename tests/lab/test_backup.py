"""A backup made by its timer restores on the storage device to a chosen second."""

import time

from tests.lab.city import City


def test_a_timers_backup_restores_to_a_chosen_second(city: City) -> None:
    city.wait_whole()
    s = city.host("s")
    before = s.run(
        "runuser -u postgres -- pgbackrest info --output=json | grep -o '\"label\":' | wc -l"
    ).stdout
    city.sql(
        "CREATE TABLE IF NOT EXISTS public.marker (number int PRIMARY KEY, at timestamptz DEFAULT now())"
    )
    city.sql("TRUNCATE public.marker")
    city.sql("INSERT INTO public.marker SELECT generate_series(1, 100)")
    # The timer itself starts the service: its calendar is set to the next seconds for once.
    s.run(
        "mkdir -p /run/systemd/system/pgbackrest-incr.timer.d && printf '[Timer]\\nOnCalendar=\\n"
        "OnCalendar=*:*:0/5\\nRandomizedDelaySec=0\\nAccuracySec=1s\\n' "
        "> /run/systemd/system/pgbackrest-incr.timer.d/now.conf && systemctl daemon-reload && "
        "systemctl restart pgbackrest-incr.timer"
    )
    try:
        end = time.monotonic() + 120
        while True:
            labels = s.run(
                "runuser -u postgres -- pgbackrest info --output=json | grep -o '\"label\":' | wc -l"
            ).stdout
            if int(labels) > int(before):
                break
            assert time.monotonic() < end, "the timer made no backup"
            time.sleep(1)
    finally:
        s.run(
            "rm -r /run/systemd/system/pgbackrest-incr.timer.d; systemctl daemon-reload; "
            "systemctl restart pgbackrest-incr.timer"
        )
    city.sql("INSERT INTO public.marker SELECT generate_series(101, 150)")
    expected = city.sql("SELECT md5(string_agg(marker::text, ',' ORDER BY number)) FROM public.marker")
    time.sleep(1.1)
    chosen = city.sql("SELECT to_char(date_trunc('second', now()), 'YYYY-MM-DD\"T\"HH24:MI:SSOF')")
    time.sleep(1.1)
    city.sql("INSERT INTO public.marker SELECT generate_series(151, 200)")
    city.sql("SELECT pg_switch_wal()")
    query = "SELECT count(*), md5(string_agg(marker::text, ',' ORDER BY number)) FROM public.marker"
    done = city.rollout("drill", "restore", "--site", city.site, "--to", chosen, "--query", query)
    assert f"150|{expected}" in done.stdout, done.stdout
    assert city.host("s").run("ls -d /var/lib/postgresql/drill", check=False).returncode != 0
    city.sql("DROP TABLE public.marker")
    assert city.audit()["uniform"] is True
