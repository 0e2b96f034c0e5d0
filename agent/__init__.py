"""modality-agent: one package per Part of the DICOM Standard, thin shells around them.

The map is in ARCHITECTURE.md. The layering rule (checked by import-linter) reads downwards::

    app > console | acquire | forward > config > link | spool > service | iod | media > dimse
        > ul | dataset | native > errors
"""

__version__ = "0.1.0"
