"""What is fuzzed: every door that bytes of a stranger come in through, and what must be true behind it.

A target is a function that takes any bytes. Errors of ``agent.errors`` that its door documents are caught inside; all
else that leaves it is a finding, and so are a run longer than ``TIMEOUT_S`` and a process larger than ``MEMORY_MIB``.
The first bytes of an input choose how the rest is read (see each target), so that one corpus serves every way.

``scripts/fuzz`` drives the targets with atheris for as long as one likes; ``tests/property/test_fuzz_smoke.py`` runs
seeds, some mutations of them and every kept crasher (tests/vectors/fuzz/NAME) with nothing but Python.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from fuzz import mutate, of_console, of_dataset, of_files, of_media, of_network, of_text, of_tls, seeds

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterable

MAX_BYTES = 4096  # of an input: structure counts, not size; bounds are lowered to match
TIMEOUT_S = 5  # a thousand times what the slowest honest input takes
MEMORY_MIB = 512  # of the whole process, with the instrumented interpreter and the corpus (about 150)


class Target(NamedTuple):
    """One door: ``run`` raises for a finding, ``seeds`` makes honest inputs, ``tokens`` are words of the format."""

    name: str
    about: str
    run: Callable[[bytes], None]
    seeds: Callable[[], Iterable[bytes]]
    mutate: Callable[[bytes, random.Random], bytes]
    tokens: tuple[bytes, ...]


TARGETS = {
    target.name: target
    for target in (
        Target(
            "dataset",
            "decode in five transfer syntaxes, whole and in pieces, fast and slow; decode, encode, decode",
            of_dataset.run_dataset,
            seeds.data_sets,
            mutate.data_set,
            mutate.ELEMENT_TOKENS,
        ),
        Target(
            "charset",
            "text under any Specific Character Set, read, written and read again",
            of_dataset.run_charset,
            seeds.texts,
            mutate.plain,
            mutate.CHARSET_TOKENS,
        ),
        Target(
            "check",
            "IOD check, dump and JSON of any Data Set",
            of_dataset.run_check,
            seeds.checked,
            mutate.data_set,
            mutate.ELEMENT_TOKENS,
        ),
        Target(
            "json",
            "DICOM JSON Model to Data Set and back",
            of_dataset.run_json,
            seeds.json_texts,
            mutate.plain,
            mutate.JSON_TOKENS,
        ),
        Target(
            "prefix",
            "File Meta Information, strict and lenient",
            of_files.run_prefix,
            seeds.prefixes,
            mutate.file,
            mutate.ELEMENT_TOKENS,
        ),
        Target(
            "file",
            "a whole file, strict and lenient, and its frames",
            of_files.run_file,
            seeds.files,
            mutate.file,
            mutate.ELEMENT_TOKENS,
        ),
        Target(
            "directory",
            "a DICOMDIR, its records by their offsets, and what each would be listed as",
            of_files.run_directory,
            seeds.directories,
            mutate.file,
            mutate.ELEMENT_TOKENS,
        ),
        Target(
            "rewrite",
            "a damaged file written anew: strict reading takes it, and writing it again changes nothing",
            of_files.run_rewrite,
            seeds.rewritten,
            mutate.chosen_file,
            mutate.ELEMENT_TOKENS,
        ),
        Target(
            "fragments",
            "fragments and offset tables of encapsulated Pixel Data",
            of_files.run_fragments,
            seeds.fragments,
            mutate.data_set,
            mutate.ELEMENT_TOKENS,
        ),
        Target(
            "pdu",
            "PDUs cut anywhere; what was read is written and read again",
            of_network.run_pdu,
            seeds.pdus,
            mutate.pdus,
            mutate.PDU_TOKENS,
        ),
        Target(
            "association",
            "any bytes, calls and times in any state of the upper layer",
            of_network.run_association,
            seeds.dialogues,
            mutate.plain,
            mutate.PDU_TOKENS,
        ),
        Target(
            "command",
            "Command Sets, and messages put together from fragments",
            of_network.run_command,
            seeds.commands,
            mutate.plain,
            mutate.COMMAND_TOKENS,
        ),
        Target(
            "commitment",
            "requests and reports of Storage Commitment, answers of C-FIND",
            of_network.run_commitment,
            seeds.reports,
            mutate.data_set,
            mutate.ELEMENT_TOKENS,
        ),
        Target(
            "dose",
            "exposure events in JSON",
            of_dataset.run_dose,
            seeds.doses,
            mutate.plain,
            mutate.JSON_TOKENS,
        ),
        Target(
            "console",
            "the technician's console: bytes of a line, BREAK, damaged bytes, children that answer anything",
            of_console.run_console,
            of_console.seeds,
            mutate.plain,
            of_console.TOKENS,
        ),
        Target(
            "config",
            "the configuration file",
            of_text.run_config,
            seeds.configurations,
            mutate.plain,
            mutate.CONFIG_TOKENS,
        ),
        Target(
            "region-template",
            "templates of calibrated regions",
            of_text.run_template,
            seeds.templates,
            mutate.plain,
            mutate.CONFIG_TOKENS,
        ),
        Target(
            "config-lines",
            "lines that change a configuration",
            of_text.run_config_lines,
            seeds.configuration_lines,
            mutate.plain,
            mutate.CONFIG_TOKENS,
        ),
        Target(
            "jpeg",
            "markers of JPEG and JPEG-LS pictures",
            of_text.run_jpeg,
            seeds.jpegs,
            mutate.plain,
            mutate.JPEG_TOKENS,
        ),
        Target(
            "cda",
            "header of a CDA document, and what is made of it",
            of_text.run_cda,
            seeds.cda_documents,
            mutate.plain,
            mutate.CDA_TOKENS,
        ),
        Target(
            "certificate",
            "certificates and revocation lists of TLS peers, not yet verified",
            of_tls.run_certificate,
            seeds.certificates,
            mutate.plain,
            mutate.DER_TOKENS,
        ),
        Target(
            "pem",
            "certificates and revocation lists that somebody brings to the box",
            of_tls.run_pem,
            seeds.brought,
            mutate.plain,
            mutate.PEM_TOKENS,
        ),
        Target(
            "measured",
            "measured luminances of a display",
            of_text.run_measured,
            seeds.measured,
            mutate.plain,
            mutate.MEASURED_TOKENS,
        ),
        Target(
            "volume",
            "marks of FAT volumes, disc images, preambles",
            of_media.run_volume,
            seeds.volumes,
            mutate.plain,
            mutate.VOLUME_TOKENS,
        ),
        Target(
            "journal",
            "what an export that broke off has left to be removed",
            of_media.run_journal,
            seeds.journals,
            mutate.plain,
            mutate.VOLUME_TOKENS,
        ),
        Target(
            "picture",
            "headers of PGM, PPM and PNG files",
            of_text.run_picture,
            seeds.pictures,
            mutate.plain,
            mutate.PICTURE_TOKENS,
        ),
    )
}
