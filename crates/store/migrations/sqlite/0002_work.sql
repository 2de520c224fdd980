-- Jobs that wait or run, and settings that the program keeps for itself.
CREATE TABLE job (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    kind         TEXT NOT NULL,
    payload      TEXT NOT NULL,
    state        TEXT NOT NULL,
    run_at       INTEGER NOT NULL,
    attempts     INTEGER NOT NULL,
    max_attempts INTEGER NOT NULL,
    worker       TEXT,
    leased_until INTEGER,
    error        TEXT,
    created      INTEGER NOT NULL,
    died         INTEGER
) STRICT;
CREATE INDEX job_next ON job (state, run_at, id);

CREATE TABLE setting (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;
