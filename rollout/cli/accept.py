"""``rollout accept``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from rollout.cli.options import AsJson, InventoryPath
from rollout.errors import ConfigurationError, Exit
from rollout.files import write
from rollout.inventory import default_path, load, select
from rollout.paths import Home
from rollout.tables import plain

if TYPE_CHECKING:
    from rollout.acceptance.redfish import Login

_STYLE = {"passed": "green", "failed": "bold red", "not_checked": "yellow"}


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("contact")(contact)
    app.command("accept")(accept)


def accept(
    site: Annotated[str, typer.Option("--site", help="The site.")],
    *,
    inventory: InventoryPath = None,
    bmc_login: Annotated[
        Path | None,
        typer.Option("--bmc-login", help="File with user:password of the management controllers (Redfish)."),
    ] = None,
    as_json: AsJson = False,
    html: Annotated[Path | None, typer.Option("--html", help="Write the certificate as a page.")] = None,
    pdf: Annotated[Path | None, typer.Option("--pdf", help="Write it on paper.")] = None,
) -> None:
    """Hold a site's hardware against what was bought and delivered; sign it. Exit 1 findings."""
    from rollout import paper  # noqa: PLC0415 - keeps `rollout --help` quick
    from rollout.acceptance import accept as acceptances  # noqa: PLC0415 - as above
    from rollout.acceptance import certificate  # noqa: PLC0415 - as above

    home, found = Home(), load(inventory or default_path())
    login = _login(bmc_login) if bmc_login else None
    made = acceptances.accept(home, found, select(found, [site])[0], login)
    acceptances.keep(home, made)
    page = certificate.render(made)
    if html:
        write(html, page.encode(), 0o644)
    if pdf:
        write(pdf, paper.pdf(page), 0o644)
    if as_json:
        typer.echo(made.model_dump_json(indent=1))
    else:
        console, table = Console(highlight=False), plain("host", "check", "wanted", "found", "")
        for check in made.checks:
            verdict = f"[{_STYLE[check.verdict]}]{check.verdict}[/]"
            table.add_row(check.host, check.name, check.wanted, f"{check.found} {check.why}".strip(), verdict)
        console.print(table)
        console.print(f"{site}: {'accepted' if made.accepted else f'not accepted: {len(made.bad)} checks'}")
    raise typer.Exit(Exit.OK if made.accepted else Exit.FINDINGS)


def contact(
    site: Annotated[str, typer.Option("--site", help="The site.")],
    *,
    inventory: InventoryPath = None,
    password_file: Annotated[
        Path | None,
        typer.Option("--password-file", help="root's password on the sheet; else it is asked for."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Look whether it would work; change nothing.")
    ] = False,
) -> None:
    """Open delivered hosts to this control node's key, then close them to passwords. Can be repeated."""
    from rollout.acceptance import contact as contacts  # noqa: PLC0415 - as above
    from rollout.acceptance import units  # noqa: PLC0415 - as above
    from rollout.apply.journal import opened  # noqa: PLC0415 - as above
    from rollout.glass.fan import exit_of, fan_out, look_at  # noqa: PLC0415 - as above
    from rollout.lab.identity import control_key  # noqa: PLC0415 - as above

    home, found = Home(), load(inventory or default_path())
    chosen = select(found, [site])
    sheet = units.load(found, chosen[0])
    password = (
        _read(password_file).strip("\r\n")
        if password_file
        else typer.prompt("root's password", hide_input=True)
    )
    if dry_run:
        outcomes = look_at(chosen, contacts.looks(home, sheet, password))
    else:
        with opened(home.journal) as journal:
            outcomes = fan_out(
                journal, "contact", chosen, contacts.work(home, sheet, password, control_key(home))
            )
    for one in outcomes:
        typer.echo(f"{one.site}: {one.state}: {one.detail}")
    raise typer.Exit(exit_of(outcomes))


def _login(file: Path) -> "Login":
    from rollout.acceptance.redfish import Login  # noqa: PLC0415 - as above

    return Login.parse(_read(file))


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file}: {error}") from error
