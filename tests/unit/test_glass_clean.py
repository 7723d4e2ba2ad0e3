"""What a support bundle may not say."""

import pytest

from rollout.glass.clean import Cleaner

SECRET = "Xk29fQmZ71pLw0"


@pytest.mark.parametrize(
    ("part", "said", "clean"),
    [
        ("cluster/patroni", f"password {SECRET} here", "password [secret] here"),
        ("logs/jincai", "postgresql://app:pw@h/db", "postgresql://app:[secret]@h/db"),
        ("logs/jincai", "Authorization: Bearer abcdefgh1234", "Authorization: Bearer [secret]"),
        ("system/units", "PGPASSWORD=abc", "PGPASSWORD=[secret]"),
        ("logs/jincai", "cookie: session=1; other=2", "cookie: [secret]"),
        ("logs/jincai", "GET /payment/search?payee=abc 200", "GET /payment/search?[…] 200"),
        ("logs/patroni", "WHERE payee_name = 'O''Neil' AND x", "WHERE payee_name = '[…]' AND x"),
        (
            "logs/patroni",
            "DETAIL: Key (division, key)=(450100, abc) exists",
            "DETAIL: Key (division, key)=([…]) exists",
        ),
        ("logs/jincai", "paid 示例文具店 now", "paid […] now"),
        ("logs/jincai", "id 45010019900307123X, phone 13807710001.", "id […], phone […]."),
        ("logs/jincai", "to 6222021234567890123", "to […]"),
        ("logs/jincai", "by wang.li@example.cn", "by […]"),
        # What a supporter needs stays.
        ("logs/jincai", "2026-11-25T10:00:00+0800 nanning-a jincai[4711]: started", None),
        ("logs/patroni", "2026-11-25 10:00:00.123 CST [311] LOG: checkpoint, 198.19.1.11:5432", None),
        ("versions/packages", "postgresql-15 15.20-0+deb12u1 ii", None),
        ("versions/release", "JINCAI_RELEASE_MANIFEST_SHA256=0123456789012345678901234567", None),
    ],
)
def test_it_is_clean(part: str, said: str, clean: str | None) -> None:
    assert Cleaner([SECRET]).text(part, said) == (said if clean is None else clean)


def test_a_private_key_is_gone_even_when_it_is_cut() -> None:
    begin = "-----BEGIN PRIVATE KEY-----\nMIGH\n"
    end = "-----END PRIVATE KEY-----"
    clean = Cleaner([])
    assert clean.text("logs/x", f"a\n{begin}{end}\nb") == "a\n[secret]\nb"
    assert clean.text("logs/x", f"a\n{begin}") == "a\n[secret]"
