-- What was asked to be scanned, and what came of it.
CREATE TABLE scan (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    source_kind  TEXT NOT NULL,
    source       TEXT NOT NULL,
    size_bytes   INTEGER NOT NULL,
    requested_by INTEGER REFERENCES account ON DELETE SET NULL,
    state        TEXT NOT NULL,
    image        INTEGER REFERENCES image ON DELETE SET NULL,
    problems     INTEGER NOT NULL,
    error        TEXT NOT NULL,
    created      INTEGER NOT NULL,
    started      INTEGER,
    finished     INTEGER
) STRICT;
CREATE INDEX scan_image ON scan (image);
CREATE INDEX scan_requested_by ON scan (requested_by);
