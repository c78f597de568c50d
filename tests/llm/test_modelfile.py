"""Modelfiles as Ollama reads them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claudiad.errors import DataError
from claudiad.llm import modelfile
from claudiad.llm.model import Message
from claudiad.llm.modelfile import find, load, parse, shipped, shipped_folder

PATH = Path("models/Mine.Modelfile")

WHOLE = '''# a comment
FROM qwen2.5:3b

parameter temperature 0.2
PARAMETER num_ctx 2048
PARAMETER use_mmap true
PARAMETER stop "<|im_end|>"
PARAMETER	stop  """a
b"""
SYSTEM """一行目
# これは注釈ではない
FROM も文字

三行目"""
TEMPLATE "{{ .Prompt }}"
LICENSE """MIT"""
MESSAGE user 立って
MESSAGE assistant {"a":[1004],"r":"はい、「立ちます」。"}
  MESSAGE user """二行の
言葉"""
'''


def test_a_whole_modelfile() -> None:
    """Each instruction, in any case, bare, quoted and over several lines."""
    file = parse(WHOLE, PATH)
    assert (file.name, file.base, file.path) == ("Mine", "qwen2.5:3b", PATH)
    assert file.system == "一行目\n# これは注釈ではない\nFROM も文字\n\n三行目"
    assert file.template == "{{ .Prompt }}"
    assert file.licences == ("MIT",)
    assert file.parameters == {"temperature": 0.2, "num_ctx": 2048, "use_mmap": True, "stop": ["<|im_end|>", "a\nb"]}
    assert file.messages == (
        Message("user", "立って"),
        Message("assistant", '{"a":[1004],"r":"はい、「立ちます」。"}'),
        Message("user", "二行の\n言葉"),
    )


def test_the_least_there_can_be() -> None:
    """FROM is enough; what is not said is None."""
    file = parse("from a", PATH)
    assert (file.base, file.system, file.template, file.parameters, file.messages) == ("a", None, None, {}, ())


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("SYSTEM a\n", ":1: there is no FROM"),
        ("FROM a\n\nSYSTEM", ":3: SYSTEM has no value"),
        ("FROM a\nHELLO x", ":2: 'HELLO' is no instruction"),
        ('FROM a\nSYSTEM """x\ny', ":2: the quotation is never closed"),
        ('FROM a\nSYSTEM """', ":2: the quotation is never closed"),
        ("FROM a\nPARAMETER num_ctx many", ":2: num_ctx must be a whole number, not 'many'"),
        ("FROM a\nPARAMETER top_p x", ":2: top_p must be a number, not 'x'"),
        ("FROM a\nPARAMETER use_mmap 2", ":2: use_mmap must be true or false, not '2'"),
        ("FROM a\nPARAMETER temprature 1", ":2: 'temprature' is no parameter of Ollama"),
        ("FROM a\nPARAMETER num_ctx", ":2: the parameter num_ctx has no value"),
        ("FROM a\nMESSAGE robot hi", ":2: the role of a MESSAGE is system, user or assistant, not 'robot'"),
        ("FROM a\nMESSAGE user", ":2: the MESSAGE has no text"),
        ("FROM a\nADAPTER ./x.gguf", ":2: ADAPTER cannot be sent"),
        ("FROM ./model.gguf", ":1: FROM must name a model, not the file './model.gguf'"),
    ],
)
def test_a_fault_is_named_by_file_and_line(text: str, fault: str) -> None:
    """The line where the instruction begins."""
    with pytest.raises(DataError) as caught:
        parse(text, PATH)
    assert str(caught.value).startswith(f"{PATH}{fault}")


@given(st.text(max_size=80))
def test_any_text_is_a_modelfile_or_a_data_error(text: str) -> None:
    """No other exception, whatever stands in the file."""
    try:
        said = parse(f"FROM a\n{text}", PATH).base
    except DataError as fault:
        said = str(fault).removeprefix(f"{PATH}:")
        assert said != str(fault)  # noqa: PT017 - either is right
    assert said


@given(st.text(st.characters(blacklist_characters='"\r', blacklist_categories=("Cs", "Cc")) | st.just("\n")))
def test_a_quoted_text_comes_back_as_it_is(text: str) -> None:
    """Between triple quotes nothing has a meaning."""
    assert parse(f'SYSTEM """{text}"""\nFROM a\n', PATH).system == text


def test_reading_a_file(tmp_path: Path) -> None:
    """A byte-order mark is no fault; a file that is no text is a data error."""
    path = tmp_path / "A.Modelfile"
    path.write_bytes(b"\xef\xbb\xbfFROM a\r\nSYSTEM b\r\n")
    assert (load(path).name, load(path).system) == ("A", "b")
    path.write_bytes(b"FROM \xff")
    with pytest.raises(DataError, match="cannot be read"):
        load(path)
    with pytest.raises(DataError, match="cannot be read"):
        load(tmp_path / "none")


def test_finding_by_name(tmp_path: Path) -> None:
    """By the model's name, with or without `:latest`."""
    for name in ("B_v1.3", "A"):
        (tmp_path / f"{name}.Modelfile").write_text("FROM a")
    (tmp_path / "README.md").touch()
    assert [path.name for path in shipped(tmp_path)] == ["A.Modelfile", "B_v1.3.Modelfile"]
    assert find("b_v1.3:latest", tmp_path) == tmp_path / "B_v1.3.Modelfile"
    assert find("C", tmp_path) is None


def test_the_folder_of_an_installation_or_a_source_tree(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """In the package's data, or beside the package."""
    monkeypatch.setattr(modelfile, "__file__", str(tmp_path / "claudiad" / "llm" / "modelfile.py"))
    assert shipped_folder() == tmp_path / "modelfiles"
    installed = tmp_path / "claudiad" / "data" / "modelfiles"
    installed.mkdir(parents=True)
    assert shipped_folder() == installed


def test_every_shipped_modelfile_can_be_read() -> None:
    """What `claudiad models create` would make."""
    for path in shipped():
        assert load(path).base
