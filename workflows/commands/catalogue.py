"""`superionic theories` and `superionic protocol`: what there is to choose from."""

from __future__ import annotations

from superionic.workflows.commands.console import Cell, emit_json, emit_table, say


def show_theories(*, as_json: bool) -> None:
    """List the levels of theory and whether their codes are installed."""
    from superionic.workflows.dispersion import DISPERSIONS
    from superionic.workflows.preflight import missing_packages
    from superionic.workflows.theory import D3_FUNCTIONALS, get_theory, theory_names

    names = [
        name
        for base in theory_names()
        for name in (base, *(f"{base}+{d}" for d in DISPERSIONS if base in D3_FUNCTIONALS))
    ]
    levels = {name: get_theory(name) for name in names}
    missing = {name: missing_packages(name) for name in levels}
    if as_json:
        emit_json(
            [
                {
                    "theory": name,
                    "functional": level.functional or None,
                    "reach_ang": level.cutoff_ang,
                    "installed": not missing[name],
                    "missing": missing[name],
                }
                for name, level in levels.items()
            ]
        )
        return
    rows: list[list[Cell]] = [
        [
            name,
            level.functional or "toy",
            level.cutoff_ang,
            f"no: install {' and '.join(missing[name])}" if missing[name] else "yes",
        ]
        for name, level in levels.items()
    ]
    emit_table(["theory", "functional", "reach A", "installed"], rows, decimals=1)


def show_protocol(name: str, *, resolved: bool, as_json: bool) -> None:
    """Write a protocol as its author wrote it, or with all that it extends."""
    from superionic.inputs.protocol import load_protocol

    protocol = load_protocol(name)
    if as_json:
        emit_json(protocol.settings)
    else:
        say((protocol.resolved_text() if resolved else protocol.text).rstrip("\n"))


def list_protocols(*, as_json: bool) -> None:
    """List the packaged protocols."""
    from superionic.inputs.protocol import load_protocol, protocol_names

    protocols = [load_protocol(name) for name in protocol_names()]
    if as_json:
        emit_json([{"name": p.name, "paper": p.paper, "fidelity": p.fidelity} for p in protocols])
        return
    emit_table(
        ["protocol", "paper", "fidelity", "extends"],
        [[p.name, p.paper, p.fidelity, ", ".join(p.extends) or None] for p in protocols],
    )
