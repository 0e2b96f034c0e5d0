"""PS3.10 to PS3.12: DICOM Files, as bytes."""
