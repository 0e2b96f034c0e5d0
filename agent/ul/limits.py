"""Every bound of the upper layer, each with its reason.

A peer can announce four gigabytes with six bytes; nothing here is allocated because a length field says so.
Bytes are buffered for one PDU at a time, and a PDU longer than its limit ends the association at its header.
"""

from __future__ import annotations

# A-ASSOCIATE-RQ/AC: 128 contexts of 8 transfer syntaxes need about 80 KiB; SAML or Kerberos identities add 64 KiB each.
ASSOCIATE_LIMIT_BYTES = 256 * 1024

# P-DATA-TF: accepted even if we advertise less, because some peers ignore what they were told; more is an attack.
DATA_LIMIT_BYTES = 128 * 1024

# What we advertise (51H) unless told otherwise. Above 64 KiB little speed is left to gain.
MAXIMUM_LENGTH_BYTES = 128 * 1024

# The smallest maximum length of a peer that we obey: below it a Command Set no longer fits one PDU.
PEER_MAXIMUM_LENGTH_FLOOR_BYTES = 1024

# A peer that says "no limit" (0) or names more than this gets PDUs of this length: our buffers stay small.
PEER_MAXIMUM_LENGTH_CAP_BYTES = 128 * 1024

# A peer that leaves the mandatory 51H out gets what every toolkit receives by default.
PEER_MAXIMUM_LENGTH_ABSENT_BYTES = 16 * 1024

# Odd context identifiers from 1 to 255 (PS3.8 7.1.1.13).
CONTEXT_LIMIT = 128

# Transfer syntaxes in one proposed context; the Standard knows about 60, current ones about 40.
TRANSFER_SYNTAX_LIMIT = 64

# Items of an A-ASSOCIATE PDU: 128 contexts, the application context, the user information, and room for unknown ones.
ITEM_LIMIT = 256

# Sub-items of the user information: role selection and two extended negotiations for each of 128 classes, and the rest.
USER_ITEM_LIMIT = 512

# Bytes given to receive() and not yet drained by next_event(): several whole PDUs of one socket read.
UNDRAINED_LIMIT_BYTES = 4 * 1024 * 1024

# ARTIM: seconds that a silent or lingering peer may keep a socket (PS3.8 9.1.5 names no value, PS3.2 prints 30).
ARTIM_S = 30.0
