-- Rule files that people bring: they are loaded after what is built in, by name.
CREATE TABLE detection_file (
    name    TEXT PRIMARY KEY,
    content TEXT NOT NULL,
    author  TEXT NOT NULL,
    created INTEGER NOT NULL,
    changed INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What people change about detections and lists. `target` is a detection's id or a list's name, `value` is JSON.
CREATE TABLE detection_tuning (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    kind    TEXT NOT NULL,
    target  TEXT NOT NULL,
    cluster INTEGER REFERENCES audit_cluster ON DELETE CASCADE,
    value   TEXT NOT NULL,
    reason  TEXT NOT NULL,
    author  TEXT NOT NULL,
    created INTEGER NOT NULL,
    expires INTEGER
) STRICT;
CREATE INDEX detection_tuning_cluster ON detection_tuning (cluster);

-- What was ever changed about detections, lists and rule files. The last number says whether anything changed.
CREATE TABLE detection_history (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    at           INTEGER NOT NULL,
    author       TEXT NOT NULL,
    what         TEXT NOT NULL,
    target       TEXT NOT NULL,
    cluster_name TEXT,
    value        TEXT NOT NULL,
    reason       TEXT NOT NULL
) STRICT;
CREATE INDEX detection_history_target ON detection_history (target, id);

-- The audit policy that somebody says is in force.
CREATE TABLE audit_policy (
    cluster INTEGER PRIMARY KEY REFERENCES audit_cluster ON DELETE CASCADE,
    content TEXT NOT NULL,
    author  TEXT NOT NULL,
    changed INTEGER NOT NULL
) STRICT;

-- Rules tried on kept events. `asked` and `result` are JSON.
CREATE TABLE backtest (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    title   TEXT NOT NULL,
    target  TEXT,
    state   TEXT NOT NULL,
    asked   TEXT NOT NULL,
    seen    INTEGER NOT NULL,
    total   INTEGER NOT NULL,
    result  TEXT,
    problem TEXT,
    author  TEXT NOT NULL,
    created INTEGER NOT NULL,
    ended   INTEGER
) STRICT;

CREATE INDEX alert_rule ON alert (rule, last_seen);
