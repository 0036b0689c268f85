-- Version 2: accounts, their sessions and their tokens. Times are microseconds since 1970-01-01 UTC. Of what opens a door
-- (passwords, cookies, tokens) only hashes are here.
CREATE TABLE account (
    id         TEXT    NOT NULL PRIMARY KEY,
    name       TEXT    NOT NULL,
    name_key   TEXT    NOT NULL UNIQUE, -- the name without its case
    display    TEXT    NOT NULL,
    role       TEXT    NOT NULL,
    team       TEXT    NOT NULL,        -- empty: none
    clearances TEXT    NOT NULL,        -- JSON, an array of names
    disabled   INTEGER NOT NULL CHECK (disabled IN (0, 1)),
    created_at INTEGER NOT NULL,
    external   TEXT    UNIQUE,          -- issuer|subject
    password   TEXT                     -- PHC; empty for who logs in elsewhere
) STRICT;

CREATE TABLE account_session (
    id          TEXT    NOT NULL PRIMARY KEY,
    account     TEXT    NOT NULL REFERENCES account (id),
    secret_hash BLOB    NOT NULL UNIQUE,
    created_at  INTEGER NOT NULL,
    seen_at     INTEGER NOT NULL,
    address     TEXT    NOT NULL,
    agent       TEXT    NOT NULL
) STRICT;

CREATE INDEX account_session_account ON account_session (account, created_at);

CREATE TABLE account_token (
    id          TEXT    NOT NULL PRIMARY KEY,
    account     TEXT    NOT NULL REFERENCES account (id),
    label       TEXT    NOT NULL,
    scopes      TEXT    NOT NULL,       -- names of actions with spaces between them
    secret_hash BLOB    NOT NULL,
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER,
    used_at     INTEGER,
    revoked_at  INTEGER
) STRICT;

CREATE INDEX account_token_account ON account_token (account, created_at);
