-- Version 5: alerts. What rules and alerts say, and where channels lead, is sealed in `body` under the key of that name;
-- what is needed to list and to filter lies in plain.
CREATE TABLE alert_channel (
    id           TEXT    NOT NULL PRIMARY KEY,
    label        TEXT    NOT NULL,
    shape        TEXT    NOT NULL, -- slack, teams, pagerduty, plain
    created_at   INTEGER NOT NULL, -- microseconds since 1970-01-01 UTC, as all times here
    updated_at   INTEGER NOT NULL,
    sealed_under TEXT    NOT NULL,
    body         BLOB    NOT NULL  -- address, secret and routing key
) STRICT;

CREATE TABLE alert_rule (
    id           TEXT    NOT NULL PRIMARY KEY,
    kind         TEXT    NOT NULL,
    owner        TEXT    NOT NULL,
    team         TEXT    NOT NULL,
    class        TEXT    NOT NULL,
    channels     TEXT    NOT NULL, -- a JSON list of ids
    enabled      INTEGER NOT NULL, -- 0 or 1
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    checked_at   INTEGER,
    sealed_under TEXT    NOT NULL,
    body         BLOB    NOT NULL  -- label, settings, and what kept the last look from being whole
) STRICT;

CREATE TABLE alert (
    id              TEXT    NOT NULL PRIMARY KEY,
    rule            TEXT    NOT NULL,
    finding         TEXT    NOT NULL, -- what it is about, for its rule
    severity        TEXT    NOT NULL, -- info, warning, error, critical
    class           TEXT    NOT NULL,
    team            TEXT    NOT NULL,
    owner           TEXT    NOT NULL,
    nda             TEXT,
    closer          INTEGER NOT NULL, -- 1 where it is held more closely than its rule
    channels        TEXT    NOT NULL, -- those of the rule when it fired: they hear of its end too
    fired_at        INTEGER NOT NULL,
    resolved_at     INTEGER,
    acknowledged_by TEXT,
    acknowledged_at INTEGER,
    told            INTEGER NOT NULL, -- what channels were told: 0 nothing, 1 that it fired, 2 all there is to tell
    sealed_under    TEXT    NOT NULL,
    body            BLOB    NOT NULL  -- title, text and link
) STRICT;

-- One finding fires once until it is resolved.
CREATE UNIQUE INDEX alert_open ON alert (rule, finding) WHERE resolved_at IS NULL;
CREATE INDEX alert_fired ON alert (fired_at, id);
CREATE INDEX alert_untold ON alert (fired_at, id) WHERE told < 2;
