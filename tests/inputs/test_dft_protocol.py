"""The packaged protocols for DFT: the printed settings, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from deck_specs import rough_slab

from superionic.inputs.castep.options import CastepOptions
from superionic.inputs.deck import OPTIONS
from superionic.inputs.decks import read_deck, write_deck
from superionic.inputs.dft import DFTSpec, KGrid, Relaxation
from superionic.inputs.dft_protocol import dft_protocol_names, load_dft_protocol, open_choices
from superionic.inputs.protocol import load_protocol
from superionic.inputs.vasp.options import VaspOptions
from superionic.structures.errors import DeckError, ProtocolError

NAMES = ("latp-vasp", "mof-vasp", "nzsp-castep")


def test_the_packaged_ones() -> None:
    assert set(NAMES) <= set(dft_protocol_names())
    assert "nzsp-quick" not in dft_protocol_names()
    for name in NAMES:
        assert load_protocol(name).fidelity == "paper"


def test_nzsp_as_printed() -> None:
    """Nano-Micro Lett. 2026 18:195, section 2.5."""
    found = load_dft_protocol("nzsp-castep", "castep")
    assert found.spec.functional == "pbe"
    assert found.spec.cutoff_eV == 370.0
    assert found.spec.kgrid == KGrid((3, 3, 1))
    assert found.spec.task == "relax"
    assert found.spec.fixed == ()
    assert found.spec.dispersion == "none"
    assert isinstance(found.options, CastepOptions)
    assert not found.options.library.startswith("NCP")  # ultrasoft


def test_latp_as_printed() -> None:
    """Adv. Funct. Mater. 2022, doi 10.1002/adfm.202203336, Theoretical Simulation."""
    found = load_dft_protocol("latp-vasp", "vasp")
    assert found.spec == DFTSpec(
        "pbe",
        500.0,
        dispersion="d2",
        scf_energy_eV=1e-6,
        scf_max_steps=200,
        relax=Relaxation(force_eV_per_A=1e-3, max_steps=500, optimiser="cg"),
    )
    assert isinstance(found.options, VaspOptions)
    assert found.options.extra["LAECHG"] == ".TRUE."  # Bader charges


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("code", tuple(OPTIONS))
def test_every_protocol_serves_every_code(tmp_path: Path, name: str, code: str) -> None:
    found = load_dft_protocol(name, code)
    if (name, code) == ("nzsp-castep", "vasp"):
        found = load_dft_protocol(name, code, ["spec.cutoff_eV=400"])
    slab = rough_slab()
    deck = found.deck([slab])
    folder = write_deck(deck, tmp_path / "relax")
    notes = (folder / "NOTES.md").read_text()
    assert name in notes
    assert len(found.choices) > 5
    assert all(choice in notes for choice in found.choices)
    images = [slab.with_positions(slab.positions + 0.2 * k * np.eye(5, 3)) for k in range(5)]
    band = found.deck(images)
    assert band.spec.band is not None
    assert band.spec.band.images == 3
    write_deck(band, tmp_path / "band")
    if code != "gpaw":
        assert read_deck(tmp_path / "relax") == deck.spec
        assert read_deck(tmp_path / "band") == band.spec


def test_changes_outrank_the_file() -> None:
    changes = [
        "spec.cutoff_eV=520", "spec.dispersion=d3bj", "spec.spin.polarised=true",
        "spec.relax.optimiser='fire'", "castep.extra_param.iprint=2",
        "spec.kgrid.divisions=[2,2,1]",
    ]  # fmt: skip
    found = load_dft_protocol("latp-vasp", "castep", changes)
    assert found.spec.cutoff_eV == 520.0
    assert found.spec.dispersion == "d3bj"
    assert found.spec.spin.polarised
    assert found.spec.relax is not None
    assert found.spec.relax.optimiser == "fire"  # not the l-bfgs that the file changes it to
    assert found.spec.kgrid == KGrid((2, 2, 1))
    assert isinstance(found.options, CastepOptions)
    assert found.options.extra_param == {"iprint": "2"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("latp-vasb", "vasp"), "latp-vasp"),
        (("nzsp-quick", "vasp"), "describes no DFT deck"),
        (("latp-vasp", "vaspp"), "'vasp'"),
        (("latp-vasp", "vasp", ["spec.cutof_eV=1"]), "'cutoff_eV'"),
        (("latp-vasp", "vasp", ["cutoff_eV=1"]), "assignment such as"),
        (("latp-vasp", "vasp", ["sepc.cutoff_eV=1"]), "'spec'"),
        (("latp-vasp", "vasp", ["spec.cutoff_eV=much"]), "must be a number"),
        (("latp-vasp", "vasp", ["spec.functional=pbee"]), "'pbe'"),
        (("latp-vasp", "vasp", ["vasp.extra.LWAVEE=true"]), "'LWAVE'"),
        (("latp-vasp", "vasp", ["spec.cutoff_eV.x=1"]), "no table"),
        (("latp-vasp", "castep", ["castep.librari='C19'"]), "'library'"),
    ],
)
def test_mistakes_are_named(arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(ProtocolError, match=message):
        load_dft_protocol(*arguments)


def test_a_protocol_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('extends = "latp-vasp"\n# choice: one\n# and on\n[spec]\ncutoff_eV = 550\n')
    found = load_dft_protocol(path, "vasp")
    assert (found.name, found.spec.cutoff_eV, found.spec.dispersion) == ("mine", 550.0, "d2")
    assert found.choices == ("one and on",)
    path.write_text('[spec]\nfunctional = "pbe"\ncutoff_eV = 400\n[vsap]\nprecision = "Normal"\n')
    with pytest.raises(ProtocolError, match="'vasp'"):
        load_dft_protocol(path, "vasp")
    path.write_text('[spec]\nfunctional = "pbe"\ncutoff_eV = 400\n')
    with pytest.raises(DeckError, match="nothing of bands"):
        load_dft_protocol(path, "vasp").deck([rough_slab()] * 3)


def test_choices_are_comments() -> None:
    assert open_choices("# head\n# choice: a\n# b\nx = 1\n# c\n# choice: d\n") == ("a b", "d")
