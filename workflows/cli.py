"""The command line: `superionic --help`.

Only signatures live here, so that help is quick; each command imports what it needs when it runs.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import traceback
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from typer.core import TyperGroup

from superionic.structures.errors import SuperionicError
from superionic.workflows import (
    cli_analyse,
    cli_binding,
    cli_clusters,
    cli_collect,
    cli_electronic,
    cli_figures,
    cli_inputs,
    cli_md,
    cli_md_inputs,
    cli_md_run,
    cli_mof,
    cli_molecules,
    cli_protocols,
    cli_slurm,
    cli_transport,
)
from superionic.workflows.cli_options import Json, Progress, Seed, Workers
from superionic.workflows.commands.console import note

if TYPE_CHECKING:
    from collections.abc import Iterator

DEBUG = "--debug"
INTERRUPTED, PIPE_CLOSED = 130, 141
"""Exit codes of a shell for a program stopped by Ctrl-C, or whose reader went away."""

DEFAULT_THEORY = "chgnet-0.3.0"


class Guarded(TyperGroup):
    """Commands whose errors are one readable message on standard error, unless ``--debug``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Take ``--debug`` at any place."""
        end = args.index("--") if "--" in args else len(args)
        debug = DEBUG in args[:end]
        rest = [word for word in args[:end] if word != DEBUG] + args[end:]
        return list(super().parse_args(ctx, [DEBUG, *rest] if debug else rest))

    def invoke(self, ctx: Any) -> Any:
        """Run a command."""
        with _errors_told(debug=bool(ctx.params.get("debug"))):
            result = super().invoke(ctx)
            sys.stdout.flush()
            return result


@contextlib.contextmanager
def _errors_told(*, debug: bool) -> Iterator[None]:
    """Turn errors into messages and exit codes; those of typer itself pass."""
    try:
        yield
    except BrokenPipeError:
        with contextlib.suppress(OSError, ValueError):  # the last flush must not fail again
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(PIPE_CLOSED) from None
    except KeyboardInterrupt:
        _tell(
            "interrupted: what was finished is kept; run the same command again to resume.", debug
        )
        raise typer.Exit(INTERRUPTED) from None
    except SuperionicError as error:
        _tell(f"error: {error}", debug)
        raise typer.Exit(1) from None
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        resume = ". Make space and run the same command again: what was finished is kept." * full
        _tell(f"error: {error.strerror or error}{where}{resume}", debug)
        raise typer.Exit(1) from None
    except Exception as error:
        if type(error).__module__.split(".")[0] in ("typer", "click"):
            raise
        _tell(
            f"error: unexpected {type(error).__name__}: {error}. This is a mistake in superionic; "
            f"run the command with {DEBUG} and report what it prints.",
            debug,
        )
        raise typer.Exit(1) from None


def _tell(message: str, debug: bool) -> None:
    """Write a message to standard error, on request after the traceback."""
    if debug:
        note(traceback.format_exc().rstrip("\n"))
    note(message)


app = typer.Typer(
    cls=Guarded,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Atomistic workflows for solid and quasi-solid electrolytes, each number with its "
    "evidence.",
)
structure_app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Crystals, slabs, molecules, and molecules on slabs.",
)
app.add_typer(structure_app, name="structure")
app.add_typer(cli_protocols.protocol_app, name="protocol")

File = Annotated[
    str,
    typer.Argument(
        metavar="FILE", help="CIF, POSCAR, extended XYZ, ..., or the name of a packaged crystal."
    ),
]
Ion = Annotated[str, typer.Option(help="Chemical symbol of the mobile ion.")]
AnyIon = Annotated[
    str, typer.Option(help="Mobile ion.", show_default="the only alkali metal or Ag")
]
TheoryName = Annotated[str, typer.Option(help="Level of theory; see `superionic theories`.")]
MaxLength = Annotated[float, typer.Option(min=0.5, help="Longest hop in angstrom.")]
MinAtoms = Annotated[int, typer.Option(min=1, help="Least size of the cell in atoms.")]
MechanismName = Annotated[
    Literal["vacancy", "hole", "interstitial"],
    typer.Option(help="To a removed ion's site, to an empty site, or between empty sites."),
]
Voids = Annotated[bool, typer.Option("--voids", help="Take the largest voids as empty sites.")]
Charges = Annotated[
    list[str] | None,
    typer.Option(
        "--oxidation-state", metavar="SYMBOL=CHARGE", help="Formal charge; others are guessed."
    ),
]
EmptySites = Annotated[
    bool,
    typer.Option("--empty-sites", help="Keep empty sites in a CIF, with occupancy 0."),
]
Output = Annotated[Path, typer.Option("--out", "-o", help="File to write; its suffix decides.")]
Folder = Annotated[Path, typer.Option("--out", "-o", help="Folder for everything computed.")]


def _version(wanted: bool) -> None:
    if wanted:
        from superionic import __version__

        typer.echo(f"superionic {__version__}")
        raise typer.Exit


def _known_fidelity(name: str) -> str:
    if name not in ("quick", "standard") and not name.endswith(".toml"):
        raise typer.BadParameter(f"expected quick, standard or a .toml file; got {name!r}.")
    return name


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
    debug: Annotated[
        bool, typer.Option(DEBUG, help="Show the traceback of an error (at any place).")
    ] = False,
) -> None:
    """Take the options that belong to no command."""


@app.command()
def reproduce(
    papers: Annotated[
        list[str] | None, typer.Argument(metavar="PAPERS", help="Which; all by default.")
    ] = None,
    fidelity: Annotated[
        str,
        typer.Option(
            callback=_known_fidelity,
            metavar="quick|standard|FILE",
            help="Minutes on two cores, hours on a workstation, or a protocol (.toml) of your own.",
        ),
    ] = "quick",
    out: Folder = Path("results"),
    from_archive: Annotated[
        bool,
        typer.Option(
            "--from-archive", help="Draw from an archive of finished results; compute nothing."
        ),
    ] = False,
    archive: Annotated[
        Path | None,
        typer.Option(
            help="Archive to write at the end, or to draw from.", show_default="that of the package"
        ),
    ] = None,
    workers: Workers = None,
    progress: Progress = True,
    as_json: Json = False,
) -> None:
    """Redraw the figures of papers in a report.

    Finished tasks are never done twice: run the same command again to resume.
    """
    from superionic.workflows.commands import results

    results.reproduce(
        papers or (), fidelity=fidelity, out=out, workers=workers, progress=progress,
        as_json=as_json, from_archive=from_archive, archive=archive,
    )  # fmt: skip


@app.command()
def hops(
    file: File,
    ion: Ion,
    max_length: MaxLength = 4.5,
    mechanism: MechanismName = "vacancy",
    voids: Voids = False,
    min_atoms: MinAtoms = 1,
    as_json: Json = False,
) -> None:
    """List the symmetry-distinct hops of an ion."""
    from superionic.workflows.commands.hops import HopQuery, show_hops

    show_hops(file, HopQuery(ion, max_length, mechanism, min_atoms, voids), as_json=as_json)


@app.command()
def barrier(
    file: File,
    ion: Ion,
    out: Folder,
    theory: TheoryName = DEFAULT_THEORY,
    hop: Annotated[
        list[str] | None,
        typer.Option(
            metavar="N|KEY",
            help="Hop by its place or key in `superionic hops`; may be repeated.",
            show_default="all",
        ),
    ] = None,
    mechanism: MechanismName = "vacancy",
    voids: Voids = False,
    max_length: MaxLength = 4.5,
    min_atoms: MinAtoms = 1,
    relax_cell: Annotated[
        bool | None,
        typer.Option(
            "--relax-cell/--fixed-cell",
            help="Relax the cell of the host as well.",
            show_default="crystals yes, slabs no",
        ),
    ] = None,
    fmax: Annotated[float, typer.Option(min=1e-4, help="Residual force of a band in eV/A.")] = 0.05,
    images: Annotated[int, typer.Option(min=1, help="Moving images of a band.")] = 5,
    seed: Seed = 0,
    workers: Workers = None,
    progress: Progress = True,
    as_json: Json = False,
    arrays: Annotated[bool, typer.Option("--arrays", help="With --json: the paths too.")] = False,
) -> None:
    """Compute the barriers of hops.

    The structure is relaxed, its hops are found in it, the ends of each are relaxed and judged,
    and climbing bands join them. The exit code is 0 only when every hop asked for has a converged
    barrier. Run the same command again to resume.
    """
    from superionic.workflows.commands.barrier import BarrierRequest, run_barriers
    from superionic.workflows.commands.hops import HopQuery

    request = BarrierRequest(
        query=HopQuery(ion, max_length, mechanism, min_atoms, voids),
        wanted=tuple(hop or ()),
        theory=theory,
        relax_cell=relax_cell,
        fmax_eV_per_A=fmax,
        images=images,
        seed=seed,
    )
    run_barriers(
        file, request, out=out, workers=workers, progress=progress, as_json=as_json, arrays=arrays
    )


@app.command()
def report(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Of `reproduce`, `barrier` or `binding`.")
    ],
    as_json: Json = False,
) -> None:
    """Write the report of a folder again.

    Nothing is computed: it shows what the folder holds.
    """
    from superionic.workflows.commands import results

    results.rebuild(folder, as_json=as_json)


@structure_app.command("list")
def structure_list(as_json: Json = False) -> None:
    """List the packaged crystals and their sources."""
    from superionic.workflows.commands import structures

    structures.show_packaged(as_json=as_json)


@structure_app.command("check")
def structure_check(file: File, oxidation_state: Charges = None, as_json: Json = False) -> None:
    """Check a structure as a chemist would.

    Bond-valence sums, shortest distances, charge and density; the exit code is 1 if one is off.
    """
    from superionic.workflows.commands import structures

    structures.check(file, charges=oxidation_state or (), as_json=as_json)


@structure_app.command("order")
def structure_order(
    file: File,
    out: Output,
    theory: TheoryName = DEFAULT_THEORY,
    ion: AnyIon = "",
    min_atoms: MinAtoms = 1,
    candidates: Annotated[int, typer.Option(min=1, help="Ewald candidates to relax.")] = 3,
    moves: Annotated[int, typer.Option(min=0, help="Single-ion moves to try at most.")] = 30,
    seed: Seed = 0,
    empty_sites: EmptySites = False,
    workers: Workers = None,
    progress: Progress = True,
    as_json: Json = False,
) -> None:
    """Make an ordered cell of a disordered crystal.

    The cells of lowest Ewald energy are relaxed with a potential, and in the best of them mobile
    ions are moved until no move that was tried lowers the energy. The evidence is kept in a folder
    beside the file, from which the same command resumes.
    """
    from superionic.workflows.commands.order import OrderRequest, order

    order(
        file, OrderRequest(ion, theory, min_atoms, candidates, moves, seed), out=out,
        empty_sites=empty_sites, workers=workers, progress=progress, as_json=as_json,
    )  # fmt: skip


@structure_app.command("slab")
def structure_slab(
    file: File,
    miller: Annotated[
        tuple[int, int, int], typer.Option(metavar="H K L", help="Plane, in conventional axes.")
    ],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="File to write; its suffix decides.")
    ] = None,
    repeat: Annotated[tuple[int, int], typer.Option(metavar="N M", help="Cells in the plane.")] = (
        1,
        1,
    ),
    vacuum: Annotated[float, typer.Option(help="Vacuum in angstrom.")] = 20.0,
    layers: Annotated[
        int | None, typer.Option(min=1, help="Thickness in slices between equivalent cuts.")
    ] = None,
    thickness: Annotated[
        float | None, typer.Option(help="Least thickness in angstrom.", show_default="10")
    ] = None,
    termination: Annotated[
        str | None, typer.Option(help="Index or name of a cut.", show_default="the easiest")
    ] = None,
    list_terminations: Annotated[
        bool, typer.Option("--list-terminations", help="List the cuts and stop.")
    ] = False,
    compensate: Annotated[
        bool, typer.Option(help="Move ions between the faces of a polar slab until it is none.")
    ] = True,
    allow_polar: Annotated[bool, typer.Option("--allow-polar", help="Declare it.")] = False,
    allow_nonstoichiometric: Annotated[
        bool, typer.Option("--allow-nonstoichiometric", help="Declare it.")
    ] = False,
    oxidation_state: Charges = None,
    empty_sites: EmptySites = False,
    ion: AnyIon = "",
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Cut a slab along a plane.

    Polyanions stay whole. A slab that is polar or not stoichiometric is refused unless it is
    declared.
    """
    from superionic.workflows.commands.slab import SlabRequest, cut, show_terminations

    request = SlabRequest(
        miller, repeat, vacuum, layers, thickness, termination, compensate, allow_polar,
        allow_nonstoichiometric, tuple(oxidation_state or ()), seed,
    )  # fmt: skip
    if list_terminations:
        show_terminations(file, request, as_json=as_json)
        return
    if out is None:
        raise typer.BadParameter("name the file to write.", param_hint="--out / -o")
    cut(file, request, out=out, empty_sites=empty_sites, ion=ion, as_json=as_json)


structure_app.command("molecule")(cli_molecules.molecule)
structure_app.command("adsorb")(cli_molecules.adsorb)
structure_app.command("cluster")(cli_clusters.cluster)
app.add_typer(cli_inputs.inputs_app, name="inputs")
app.add_typer(cli_md_inputs.forcefield_app, name="forcefield")
app.command()(cli_md.box)
app.add_typer(cli_md_run.md_app, name="md")
app.add_typer(cli_analyse.analyse_app, name="analyse")
app.add_typer(cli_transport.fit_app, name="fit")
app.command()(cli_binding.binding)
app.add_typer(cli_mof.mof_app, name="mof")
app.command()(cli_collect.collect)
app.command()(cli_collect.handover)
app.command()(cli_electronic.electronic)
app.command()(cli_figures.figures)
app.command()(cli_protocols.theories)
app.command()(cli_figures.doctor)
cli_slurm.add_to(app)


def main() -> None:
    """Run the command line and leave with its exit code."""
    os.environ.setdefault("SPGLIB_WARNING", "OFF")  # it writes to standard error past Python
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # those of libraries; ours are errors or notes
    app(prog_name="superionic")


if __name__ == "__main__":
    main()
