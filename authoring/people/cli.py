"""`tiku user`: people, their roles, and the tokens they reach the API with."""

from __future__ import annotations

import click

from authoring.options import database_option, json_option, opened, print_json
from authoring.people.actors import ROLE_LABELS, SYSTEM, Right, Role


@click.group()
def user() -> None:
    """People, their roles and their access tokens.

    Example: tiku user add li.na 李娜 --role author --database tiku.db
    """


@user.command("add")
@click.argument("code")
@click.argument("name")
@click.option(
    "--role",
    "roles",
    multiple=True,
    type=click.Choice([role.value for role in Role]),
    help="May be given several times.",
)
@database_option
@json_option
def add(code: str, name: str, roles: tuple[str, ...], database: str | None, as_json: bool) -> None:
    """Add a person: a CODE of a-z 0-9 . _ - and their NAME.

    Example: tiku user add li.na 李娜 --role author --role reviewer
    """
    from authoring.database import writing
    from authoring.people.rules import add_person

    with opened(database) as bank, writing(bank, SYSTEM) as session:
        person = add_person(session, SYSTEM, code, name, map(Role, roles))
    if as_json:
        print_json({"code": person.code, "name": person.name, "roles": sorted(person.roles)})
    else:
        click.echo(f"{person.code} {person.name}: {_roles(person.roles)}")


@user.command("list")
@database_option
@json_option
def list_users(database: str | None, as_json: bool) -> None:
    """Everybody, with their roles and tokens (never a token itself).

    Example: tiku user list --database tiku.db
    """
    from authoring.database import reading
    from authoring.people.rules import list_people

    with opened(database) as bank, reading(bank) as session:
        people = list_people(session)
    if as_json:
        print_json(
            [
                {
                    "code": person.code,
                    "name": person.name,
                    "roles": sorted(person.roles),
                    "tokens": [
                        {
                            "id": token.id,
                            "label": token.label,
                            "rights": token.rights,
                            "expires_at": token.expires_at and token.expires_at.isoformat(),
                            "revoked_at": token.revoked_at and token.revoked_at.isoformat(),
                        }
                        for token in tokens
                    ],
                }
                for person, tokens in people
            ]
        )
        return
    if not people:
        click.echo("nobody yet: tiku user add CODE NAME --role author")
    for person, tokens in people:
        click.echo(f"{person.code} {person.name}: {_roles(person.roles)}")
        for token in tokens:
            words = [f"token {token.id}", token.label, *token.rights]
            words += [f"expires {token.expires_at:%Y-%m-%d}"] if token.expires_at else []
            words += ["revoked"] if token.revoked_at else []
            click.echo("  " + " ".join(filter(None, words)))


@user.command("token")
@click.argument("code")
@click.option(
    "--right",
    "rights",
    multiple=True,
    required=True,
    type=click.Choice([right.value for right in Right]),
    help="Several times.",
)
@click.option("--label", default="", help="What the token is for.")
@click.option("--days", type=click.IntRange(1, 3650), help="How long it is valid  [default: until revoked]")
@database_option
@json_option
def token(
    code: str, rights: tuple[str, ...], label: str, days: int | None, database: str | None, as_json: bool
) -> None:
    """Make an access token for the person with this CODE. It is shown once and never again.

    Example: tiku user token li.na --right items:read --right standards:read --days 90
    """
    from datetime import timedelta

    from authoring.columns import now
    from authoring.database import writing
    from authoring.people.rules import issue_token

    expires_at = now() + timedelta(days=days) if days else None
    with opened(database) as bank, writing(bank, SYSTEM) as session:
        made = issue_token(session, SYSTEM, code, map(Right, rights), label=label, expires_at=expires_at)
    if as_json:
        print_json({"token": made, "rights": sorted(rights), "expires_at": expires_at and expires_at.isoformat()})
        return
    click.echo(made)
    click.echo("Keep it: it is not stored and cannot be shown again. Send it as Authorization: Bearer …", err=True)


@user.command("revoke")
@click.argument("token_id", type=int)
@database_option
def revoke(token_id: int, database: str | None) -> None:
    """Revoke a token by the number `tiku user list` shows.

    Example: tiku user revoke 3
    """
    from authoring.database import writing
    from authoring.people.rules import revoke_token

    with opened(database) as bank, writing(bank, SYSTEM) as session:
        revoke_token(session, SYSTEM, token_id)
    click.echo(f"token {token_id} opens nothing from now on")


def _roles(roles: frozenset[Role]) -> str:
    return " ".join(f"{role}({ROLE_LABELS[role]})" for role in sorted(roles)) or "no role"
