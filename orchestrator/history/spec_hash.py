"""The hash of what was journaled before anything ran: said before a test part opens, it fixes what was planned."""

import hashlib
import json

from orchestrator.history.journal import read_journal
from orchestrator.history.records import SearchBegun
from orchestrator.history.run_folder import RunFolder

SHOWN = 12  # hexadecimal digits


def spec_hash(folder: RunFolder) -> str | None:
    """Return the first digits of the SHA-256 of a run's resolved spec as it is journaled; None where there is none.

    The newest where a resume changed what it may. Hashed is its JSON with sorted keys and without blanks.
    """
    begun = [record.spec for record, _at in read_journal(folder.journal) if isinstance(record, SearchBegun)]
    if not begun:
        return None
    text = json.dumps(begun[-1], sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:SHOWN]
