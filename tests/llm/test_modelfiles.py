"""The shipped Modelfiles: up to date, Japanese, and teaching nothing that must not be done."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from claudiad.brain.emergency import StopFinder
from claudiad.brain.proposal import read_proposal
from claudiad.brain.reading import reading
from claudiad.brain.router import load_tables
from claudiad.config import Settings
from claudiad.llm.modelfile import Modelfile, load, shipped
from claudiad.llm.prompts import Prompts
from claudiad.llm.request_class import PromptKind
from claudiad.llm.schema import offered
from claudiad.purity.tables import chinese
from claudiad.robot import registry
from tests.llm.pure import impure
from training import modelfiles
from training.modelfiles import FOLDER, RECIPES, Recipe, modelfile, path_of

REGISTRY = registry.load()
ACTIONS = registry.askable(REGISTRY)
EVERY_FILE = pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)


@pytest.fixture(scope="module")
def stops() -> StopFinder:
    return load_tables(ACTIONS).stops


def read(recipe: Recipe) -> Modelfile:
    return load(path_of(recipe))


def test_there_is_a_file_for_every_recipe_and_no_other() -> None:
    """And one for every model of the default settings."""
    assert set(shipped(FOLDER)) == {path_of(recipe) for recipe in RECIPES}
    assert set(Settings().llm.models) <= {recipe.name for recipe in RECIPES}


@EVERY_FILE
def test_the_shipped_file_is_the_generated_one(recipe: Recipe) -> None:
    """python -m training.modelfiles --write."""
    assert path_of(recipe).read_text(encoding="utf-8") == modelfile(recipe)


@EVERY_FILE
def test_it_is_read_back_as_it_was_meant(recipe: Recipe) -> None:
    """By what `claudiad models create` reads it with."""
    made, prompts = read(recipe), Prompts(REGISTRY, allow_high_risk=False)
    assert (made.name, made.base) == (recipe.name, recipe.base)
    assert made.parameters == {"temperature": 0.2, "top_p": 0.8, "num_predict": 50, "num_ctx": 2048}
    assert made.parameters["num_ctx"] == Settings().llm.num_ctx
    assert made.system == prompts.warm_messages(PromptKind.COMMAND)[0].content
    assert made.messages == prompts.examples()


@EVERY_FILE
def test_all_of_it_is_japanese(recipe: Recipe) -> None:
    """System prompt and examples, apart from JSON and ids; and no Chinese word that the gate knows."""
    made = read(recipe)
    for text in (made.system or "", *(message.content for message in made.messages)):
        assert impure(text) == []
        assert [word for word in chinese().words if word in text] == []


@EVERY_FILE
def test_every_example_is_an_answer_that_may_be_given(recipe: Recipe, stops: StopFinder) -> None:
    """Valid, its ids registered and harmless; neither a stop nor Damp is taught, and each does what it says."""
    made = read(recipe)
    able = {spec.name for spec in offered(REGISTRY, allow_high_risk=False)} | {registry.MOVE}
    roles = [message.role for message in made.messages]
    assert roles == ["user", "assistant"] * (len(roles) // 2)
    assert len(roles) >= 12
    for said, answer in zip(made.messages[::2], made.messages[1::2], strict=True):
        output = json.loads(answer.content)
        assert list(output) == ["a", "r"]
        proposal = read_proposal(output, ACTIONS)
        assert proposal.valid
        assert proposal.unknown == ()
        assert {action.name for action in proposal.actions} <= able
        assert len(proposal.actions) == len(output["a"])
        assert stops.find_stop(said.content, moving=True) is None
        assert [key for key in stops.stop_keys if key in reading(proposal.reply)] == []


@EVERY_FILE
def test_no_id_of_the_table_is_wrong(recipe: Recipe) -> None:
    """Each row of the system prompt is an action's own id and title, and none of them is dangerous."""
    able = {str(spec.api_id): spec for spec in offered(REGISTRY, allow_high_risk=False) if spec.service == "sport"}
    rows = [line.partition(" ") for line in (read(recipe).system or "").splitlines() if line[:4].isdigit()]
    assert {number for number, *_ in rows} == set(able)
    assert all(title.startswith(able[number].title) for number, _, title in rows)


def test_the_readme_names_every_model_its_base_and_its_licence() -> None:
    """Who makes one has to know under what terms it may be used."""
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    for recipe in RECIPES:
        assert f"`{recipe.name}`" in readme
        assert f"`{recipe.base}`" in readme
        assert recipe.licence.split(":")[0] in readme


def test_write_renews_the_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """--write replaces all of them."""
    monkeypatch.setattr(modelfiles, "FOLDER", tmp_path)
    assert modelfiles.main(["--write"]) == 0
    assert {path.name for path in tmp_path.iterdir()} == {path_of(recipe).name for recipe in RECIPES}


def test_the_command_prints_or_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    """Without arguments the files; with a wrong one its usage and status 64."""
    assert modelfiles.main([]) == 0
    assert capsys.readouterr().out.count("\nFROM ") == len(RECIPES)
    assert modelfiles.main(["--wirte"]) == 64
    assert capsys.readouterr().err.startswith("usage: ")
