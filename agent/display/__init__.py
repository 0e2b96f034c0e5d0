"""PS3.14: the Grayscale Standard Display Function, calibration of a display, and P-values for previews.

Nothing here touches stored pixels: a gateway writes P-values by making the grayscale chain of the instance say what it
means (PS3.3 C.8.11.3); turning P-values into luminance is the business of whoever shows them.
"""
