-- Clusters whose audit events are judged. `position` is how far their lane is judged, `checkpoint` what the judge
-- knew there.
CREATE TABLE audit_cluster (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    name       TEXT NOT NULL UNIQUE,
    asset      INTEGER REFERENCES asset ON DELETE SET NULL,
    created    INTEGER NOT NULL,
    author     TEXT NOT NULL,
    on_since   INTEGER,
    consent_by TEXT,
    consent_at INTEGER,
    position   INTEGER NOT NULL,
    checkpoint BLOB,
    events     INTEGER NOT NULL,
    early      INTEGER NOT NULL,
    repeated   INTEGER NOT NULL,
    broken     INTEGER NOT NULL,
    problem    TEXT,
    problem_at INTEGER,
    last_event INTEGER
) STRICT;
CREATE INDEX audit_cluster_asset ON audit_cluster (asset);

-- `position` is how far a file or a topic is read, as JSON.
CREATE TABLE audit_source (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    cluster    INTEGER NOT NULL REFERENCES audit_cluster ON DELETE CASCADE,
    kind       TEXT NOT NULL,
    settings   TEXT NOT NULL,
    token_hash BLOB UNIQUE,
    position   TEXT,
    problem    TEXT,
    problem_at INTEGER,
    received   INTEGER,
    created    INTEGER NOT NULL,
    author     TEXT NOT NULL
) STRICT;
CREATE INDEX audit_source_cluster ON audit_source (cluster);

-- Recent events, without their secrets, as zstd of JSON lines: those that were judged in one go.
CREATE TABLE audit_block (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    cluster INTEGER NOT NULL REFERENCES audit_cluster ON DELETE CASCADE,
    first   INTEGER NOT NULL,
    last    INTEGER NOT NULL,
    events  INTEGER NOT NULL,
    bytes   INTEGER NOT NULL,
    content BLOB NOT NULL
) STRICT;
CREATE INDEX audit_block_time ON audit_block (cluster, last);

CREATE TABLE suppression (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    name     TEXT NOT NULL UNIQUE,
    is_on    INTEGER NOT NULL,
    rule     TEXT,
    criteria TEXT NOT NULL,
    reason   TEXT NOT NULL,
    comment  TEXT NOT NULL,
    author   TEXT NOT NULL,
    created  INTEGER NOT NULL,
    expires  INTEGER
) STRICT;

CREATE TABLE incident (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    uid        TEXT NOT NULL UNIQUE,
    title      TEXT NOT NULL,
    severity   INTEGER NOT NULL,
    state      TEXT NOT NULL,
    owner      TEXT,
    shared     TEXT NOT NULL,
    first_seen INTEGER NOT NULL,
    last_seen  INTEGER NOT NULL,
    created    INTEGER NOT NULL
) STRICT;
CREATE INDEX incident_last_seen ON incident (last_seen, id);

-- `grouped_by` is what equal alerts have in common; `said` is what the engine said, as JSON.
CREATE TABLE alert (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    uid          TEXT NOT NULL UNIQUE,
    cluster      INTEGER REFERENCES audit_cluster ON DELETE SET NULL,
    cluster_name TEXT NOT NULL,
    is_sample    INTEGER NOT NULL,
    rule         TEXT NOT NULL,
    grouped_by   TEXT NOT NULL,
    title        TEXT NOT NULL,
    compromised  TEXT NOT NULL,
    severity     INTEGER NOT NULL,
    tactics      TEXT NOT NULL,
    techniques   TEXT NOT NULL,
    said         TEXT NOT NULL,
    state        TEXT NOT NULL,
    owner        TEXT,
    suppression  INTEGER,
    incident     INTEGER REFERENCES incident ON DELETE SET NULL,
    first_seen   INTEGER NOT NULL,
    last_seen    INTEGER NOT NULL,
    seen         INTEGER NOT NULL,
    created      INTEGER NOT NULL,
    changed      INTEGER NOT NULL
) STRICT;
CREATE INDEX alert_group ON alert (cluster_name, rule, grouped_by, last_seen);
CREATE INDEX alert_last_seen ON alert (last_seen, id);
CREATE INDEX alert_incident ON alert (incident);
CREATE INDEX alert_cluster ON alert (cluster);
CREATE INDEX alert_suppression ON alert (suppression);

-- What an alert was raised by. The id is made of cluster, event and rule, so that raising twice changes nothing.
CREATE TABLE alert_occurrence (
    id       TEXT PRIMARY KEY,
    alert    INTEGER NOT NULL REFERENCES alert ON DELETE CASCADE,
    at       INTEGER NOT NULL,
    evidence TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX alert_occurrence_alert ON alert_occurrence (alert, at);

CREATE TABLE alert_entity (
    alert INTEGER NOT NULL REFERENCES alert ON DELETE CASCADE,
    kind  TEXT NOT NULL,
    name  TEXT NOT NULL,
    PRIMARY KEY (alert, kind, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX alert_entity_name ON alert_entity (name, kind);

-- What people did with alerts: `what` is `state`, `owner` or `note`.
CREATE TABLE alert_history (
    id     INTEGER PRIMARY KEY AUTOINCREMENT,
    alert  INTEGER NOT NULL REFERENCES alert ON DELETE CASCADE,
    at     INTEGER NOT NULL,
    author TEXT NOT NULL,
    what   TEXT NOT NULL,
    was    TEXT,
    value  TEXT
) STRICT;
CREATE INDEX alert_history_alert ON alert_history (alert, id);
