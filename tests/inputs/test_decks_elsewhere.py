"""Other programs read our decks unchanged, and find in them what the specification says."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path

import numpy as np
import pytest
from deck_specs import cells, specs
from hypothesis import given, settings
from hypothesis import strategies as st

from superionic.inputs.castep.deck import write_castep
from superionic.inputs.castep.options import CastepOptions
from superionic.inputs.deck import Deck
from superionic.inputs.vasp.deck import write_vasp
from superionic.inputs.vasp.options import VaspOptions


@settings(max_examples=60)
@given(data=st.data())
def test_others_read_decks_of_vasp(data: st.DataObject) -> None:
    from ase import Atoms
    from ase.constraints import FixAtoms
    from ase.io import read
    from pymatgen.io.vasp import Incar, Kpoints, Poscar

    structure = data.draw(cells())
    spec = data.draw(specs(structure, ("vasp",), "relax"))
    deck = Deck(spec, (structure,), VaspOptions(extra={"LREAL": "Auto", "NCORE": 4}))
    with tempfile.TemporaryDirectory() as name, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        folder = write_vasp(deck, Path(name) / "deck")
        incar = Incar.from_file(str(folder / "INCAR"))
        assert incar["ENCUT"] == pytest.approx(deck.spec.cutoff_eV)
        assert incar["EDIFF"] == pytest.approx(deck.spec.scf_energy_eV)
        assert (incar["LREAL"], incar["NCORE"]) == ("Auto", 4)
        assert incar["ISPIN"] == (2 if spec.spin.polarised else 1)
        if spec.spin.polarised:
            assert incar["MAGMOM"] == pytest.approx(list(deck.spec.spin.moments(deck.structure)))
        kpoints = Kpoints.from_file(str(folder / "KPOINTS"))
        assert tuple(kpoints.kpts[0]) == spec.kgrid.divisions
        assert kpoints.style.name == ("Gamma" if deck.spec.kgrid.gamma_centred else "Monkhorst")
        poscar = Poscar.from_file(str(folder / "POSCAR"), check_for_potcar=False)
        assert [s.symbol for s in poscar.structure.species] == list(deck.structure.symbols)
        assert np.allclose(poscar.structure.cart_coords, deck.structure.positions, atol=1e-8)
        held = {f.index: f.axes for f in deck.spec.fixed}
        if held:
            flags = np.asarray(poscar.selective_dynamics)
            expected = [held.get(k, (False, False, False)) for k in range(len(structure))]
            assert np.array_equal(~flags, expected)
        atoms = read(folder / "POSCAR")
        assert isinstance(atoms, Atoms)
        assert np.allclose(atoms.positions, deck.structure.positions, atol=1e-8)
        whole = [f.index for f in deck.spec.fixed if all(f.axes)]
        seen = [c.get_indices() for c in atoms.constraints if isinstance(c, FixAtoms)]
        assert sorted(int(k) for part in seen for k in part) == whole


@settings(max_examples=60)
@given(data=st.data())
def test_others_read_decks_of_castep(data: st.DataObject) -> None:
    from ase.constraints import FixAtoms
    from ase.io.castep import read_castep_cell, read_freeform
    from castepinput import CellInput, ParamInput

    structure = data.draw(cells())
    spec = data.draw(specs(structure, ("castep",), "relax"))
    deck = Deck(spec, (structure,), CastepOptions("NCP19", {"O": "NCP18"}))
    with tempfile.TemporaryDirectory() as name, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        folder = write_castep(deck, Path(name) / "deck")
        param = ParamInput.from_file(str(folder / "castep.param"))
        assert param["task"] == "GeometryOptimization"
        assert param["cut_off_energy"].split()[1] == "eV"
        assert float(param["cut_off_energy"].split()[0]) == pytest.approx(deck.spec.cutoff_eV)
        cell = CellInput.from_file(str(folder / "castep.cell"))
        assert np.allclose(cell.get_cell(), deck.structure.cell)
        elements, positions, _ = cell.get_positions()
        assert tuple(elements) == deck.structure.symbols
        assert np.allclose(positions, deck.structure.positions)
        assert tuple(int(x) for x in cell["kpoint_mp_grid"]) == spec.kgrid.divisions
        with (folder / "castep.cell").open() as stream:
            atoms = read_castep_cell(stream, calculator_args={"keyword_tolerance": 3})
        assert np.allclose(atoms.positions, deck.structure.positions, atol=1e-8)
        assert np.allclose(
            atoms.get_initial_magnetic_moments(), deck.spec.spin.moments(deck.structure)
        )
        whole = [f.index for f in deck.spec.fixed if all(f.axes)]
        seen = [c.get_indices() for c in atoms.constraints if isinstance(c, FixAtoms)]
        assert sorted(int(k) for part in seen for k in part) == whole
        with (folder / "castep.param").open() as stream:
            words = read_freeform(stream)
        assert words["xc_functional"][0].lower() == spec.functional
