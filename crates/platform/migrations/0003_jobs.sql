-- Version 3: jobs, their logs, and the schedules that start them. Times are microseconds since 1970-01-01 UTC.
CREATE TABLE job (
    id             TEXT    NOT NULL PRIMARY KEY,
    kind           TEXT    NOT NULL,
    label          TEXT    NOT NULL,
    owner          TEXT,              -- an account, which may be gone by now
    unique_key     TEXT,
    payload        TEXT    NOT NULL,  -- JSON
    state          TEXT    NOT NULL CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled')),
    attempts       INTEGER NOT NULL CHECK (attempts >= 1), -- at most so many
    made           INTEGER NOT NULL CHECK (made >= 0),     -- attempts that count
    runs           INTEGER NOT NULL CHECK (runs >= 0),     -- how often it was ever claimed: names one lease
    cancel_asked   INTEGER NOT NULL CHECK (cancel_asked IN (0, 1)),
    progress_what  TEXT    NOT NULL,
    progress_done  INTEGER NOT NULL,
    progress_total INTEGER NOT NULL,  -- 0 if nobody knows
    next_run       INTEGER NOT NULL,
    created_at     INTEGER NOT NULL,
    started_at     INTEGER,
    finished_at    INTEGER,
    worker         TEXT,
    lease_until    INTEGER,
    error          TEXT,
    result         TEXT,              -- JSON
    CHECK ((state = 'running') = (lease_until IS NOT NULL)),
    CHECK ((state IN ('done', 'failed', 'cancelled')) = (finished_at IS NOT NULL))
) STRICT;

CREATE UNIQUE INDEX job_unique ON job (unique_key) WHERE state IN ('queued', 'running');
CREATE INDEX job_queue ON job (state, next_run);
CREATE INDEX job_newest ON job (created_at, id);
CREATE INDEX job_finished ON job (finished_at);

CREATE TABLE job_log (
    job       TEXT    NOT NULL,
    line      INTEGER NOT NULL CHECK (line >= 1),
    logged_at INTEGER NOT NULL,
    message   TEXT    NOT NULL,
    PRIMARY KEY (job, line)
) STRICT;

CREATE TABLE schedule (
    id         TEXT    NOT NULL PRIMARY KEY,
    label      TEXT    NOT NULL,
    cron       TEXT    NOT NULL,      -- five fields, UTC
    kind       TEXT    NOT NULL,
    payload    TEXT    NOT NULL,      -- JSON
    owner      TEXT,
    attempts   INTEGER NOT NULL CHECK (attempts >= 1),
    enabled    INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    next_at    INTEGER,
    last_job   TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    CHECK ((enabled = 1) = (next_at IS NOT NULL))
) STRICT;

CREATE INDEX schedule_next ON schedule (next_at);
