-- Version 1: the ledger. `payload` and `salt` are empty once an entry was erased; everything else stays.
CREATE TABLE ledger_entry (
    stream       TEXT    NOT NULL,
    seq          INTEGER NOT NULL CHECK (seq >= 1),
    format       INTEGER NOT NULL,
    recorded_at  INTEGER NOT NULL, -- microseconds since 1970-01-01 UTC
    kind         TEXT    NOT NULL,
    payload_hash BLOB    NOT NULL,
    prev_mac     BLOB    NOT NULL,
    mac          BLOB    NOT NULL,
    salt         BLOB,
    payload      BLOB,             -- JSON, the very bytes that were hashed
    PRIMARY KEY (stream, seq)
) STRICT;

CREATE INDEX ledger_entry_kind ON ledger_entry (stream, kind, seq);
