-- Version 4: documents. What a revision holds lies in `document_revision` alone; `document` says which one is current.
-- `name` and `body` are UTF-8 and JSON where `sealed_under` is empty, and sealed under the key of that name otherwise.
CREATE TABLE document (
    id         TEXT    NOT NULL PRIMARY KEY,
    kind       TEXT    NOT NULL,
    revision   INTEGER NOT NULL CHECK (revision >= 1),
    created_at INTEGER NOT NULL -- microseconds since 1970-01-01 UTC
) STRICT;

CREATE INDEX document_kind ON document (kind, created_at, id);

CREATE TABLE document_revision (
    document     TEXT    NOT NULL,
    revision     INTEGER NOT NULL CHECK (revision >= 1),
    saved_at     INTEGER NOT NULL, -- microseconds since 1970-01-01 UTC
    class        TEXT    NOT NULL,
    team         TEXT    NOT NULL,
    owner        TEXT,
    nda          TEXT,
    sealed_under TEXT,
    sealed_at    INTEGER,          -- microseconds since 1970-01-01 UTC
    name         BLOB    NOT NULL,
    body         BLOB    NOT NULL, -- the last column, so that lists do not read past it
    PRIMARY KEY (document, revision)
) STRICT;

CREATE INDEX document_revision_key ON document_revision (sealed_under, document, revision);
