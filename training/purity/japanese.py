"""Japanese sentences out of unpacked Debian packages, as examples of what is no Chinese.

apt-get download debian-handbook debian-reference-ja manpages-ja maint-guide-ja developers-reference-ja
for deb in *.deb; do dpkg -x $deb unpacked; done
python -m training.purity.japanese unpacked --out build/japanese.txt
"""

from __future__ import annotations

import argparse
import gzip
import html
import re
from collections.abc import Iterator
from pathlib import Path

_TAGS = re.compile(r"<(script|style|pre|code)\b.*?</\1>|<[^>]+>", re.DOTALL)
_MAN = re.compile(r"^\.(?:SH|PP|TP|IP|BR?|IR?|R[BI])\b ?|\\f.|\\|^\..*$", re.MULTILINE)
_WRAPPED = re.compile(r"(?<=[ぁ-ん一-龥ァ-ヶ、])\s+(?=[ぁ-ん一-龥ァ-ヶ])")
_ENDS = re.compile(r"[。\n！？]")
_LATIN = re.compile(r"[A-Za-z]")
_HIRAGANA = re.compile(r"[ぁ-ん]{2}")


def texts(folder: Path) -> Iterator[str]:
    """The text of every Japanese page: HTML in a Japanese folder or package, and manual pages."""
    for path in sorted(folder.rglob("*")):
        name = path.as_posix()
        if path.suffixes[-1:] == [".html"] and ("/ja" in name or "-ja/" in name or ".ja." in name):
            yield html.unescape(_TAGS.sub("", path.read_text(encoding="utf-8", errors="ignore")))
        elif "/man/ja/" in name and path.suffix == ".gz" and path.is_file():
            yield _MAN.sub("", gzip.decompress(path.read_bytes()).decode("utf-8", "ignore"))


def sentences(text: str) -> Iterator[str]:
    """Sentences of 6 to 120 characters with hiragana and without Latin letters."""
    for sentence in map(str.strip, _ENDS.split(_WRAPPED.sub("", text))):
        if 6 <= len(sentence) <= 120 and _HIRAGANA.search(sentence) and not _LATIN.search(sentence):
            yield sentence


def main() -> int:
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("folder", type=Path, help="where the packages are unpacked")
    a.add_argument("--out", type=Path, required=True)
    o = a.parse_args()
    found = sorted({sentence for text in texts(o.folder) for sentence in sentences(text)})
    o.out.write_text("\n".join(found) + "\n", encoding="utf-8")
    print(f"{len(found)} sentences → {o.out}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
