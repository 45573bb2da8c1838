"""The catalogues of user texts: `.venv/bin/python tests/helpers/catalogues.py [NEW_LANGUAGE]` brings them up to date.

It collects the texts that the sources mark, adds what is new to each language's `layerlift.po`, takes out what is gone,
and compiles the `layerlift.mo` that programs read. What a translator has to do is what has no translation then.
"""

from __future__ import annotations

import sys
from datetime import datetime, timezone
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

CHECKOUT = Path(__file__).resolve().parents[2]
LOCALE = CHECKOUT / "shared" / "layerlift" / "locale"
SOURCES = ("install.py", "plugin/**/*.py", "shared/layerlift/**/*.py")
KEYWORDS = {"_": None, "N_": None, "ngettext": (1, 2)}
WIDTH = 120
HEADER = """msgid ""
msgstr ""
"Language: {language}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=UTF-8\\n"
"Plural-Forms: {plurals}\\n"

"""
LONG_AGO = datetime(2026, 1, 1, tzinfo=timezone.utc)
COMMENT = "Translators:"
"""Begins a comment above a text that is for its translators."""


def languages() -> list[str]:
    """The languages that texts are translated to."""
    return sorted(folder.name for folder in LOCALE.iterdir() if folder.is_dir())


def po(language: str) -> Path:
    """A language's catalogue as its translators write it."""
    return LOCALE / language / "LC_MESSAGES" / "layerlift.po"


def mo(language: str) -> Path:
    """A language's catalogue as programs read it."""
    return po(language).with_suffix(".mo")


def collect() -> Catalog:
    """All texts that the sources mark, in the order of files and lines."""
    found = Catalog()
    for pattern in SOURCES:
        for file in sorted(CHECKOUT.glob(pattern)):
            place = file.relative_to(CHECKOUT).as_posix()
            for line, text, comments, context in extract_from_file("python", file, KEYWORDS, (COMMENT,)):
                found.add(text, locations=[(place, line)], auto_comments=comments, context=context)
    return found


def read(language: str) -> Catalog:
    """A language's catalogue."""
    with po(language).open("rb") as file:
        return read_po(file, locale=language)


def renewed(language: str, texts: Catalog) -> Catalog:
    """A language's catalogue with these texts, and no others."""
    catalogue = read(language) if po(language).exists() else Catalog(locale=language)
    catalogue.update(texts, no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    # A date, and the name of a tool, would be all that changes.
    catalogue.project, catalogue.version = "Layerlift", ""
    catalogue.creation_date = catalogue.revision_date = LONG_AGO
    return catalogue


def written(catalogue: Catalog) -> bytes:
    """The text of a .po file. It has no lines of the sources, which would change all the time."""
    file = BytesIO()
    write_po(file, catalogue, width=WIDTH, omit_header=True, include_lineno=False)
    return HEADER.format(language=catalogue.locale, plurals=catalogue.plural_forms).encode() + file.getvalue()


def compiled(catalogue: Catalog) -> bytes:
    """The bytes of a .mo file."""
    file = BytesIO()
    write_mo(file, catalogue)
    return file.getvalue()


def main(new: list[str]) -> None:
    """Bring all up to date, and tell what is left to translate."""
    texts = collect()
    for language in sorted({*languages(), *new}):
        catalogue = renewed(language, texts)
        po(language).parent.mkdir(parents=True, exist_ok=True)
        po(language).write_bytes(written(catalogue))
        mo(language).write_bytes(compiled(catalogue))
        left = sum(not message.string or not all(message.string) for message in catalogue if message.id)
        print(f"{language}: {left} of {len(catalogue)} texts have no translation.")


if __name__ == "__main__":
    main(sys.argv[1:])
