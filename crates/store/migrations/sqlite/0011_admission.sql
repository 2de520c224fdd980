-- What may enter clusters. The policy of all clusters that have none of their own has the cluster ''.
CREATE TABLE admission_policy (
    cluster TEXT PRIMARY KEY,
    content TEXT NOT NULL,
    digest  TEXT NOT NULL,
    author  TEXT NOT NULL,
    changed INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The webhooks that answer. `last_report` makes taking the same report twice the same as taking it once.
CREATE TABLE admission_gate (
    cluster     TEXT NOT NULL,
    name        TEXT NOT NULL,
    version     TEXT NOT NULL,
    policy      TEXT NOT NULL,
    reviews     INTEGER NOT NULL,
    last_report TEXT NOT NULL,
    first_seen  INTEGER NOT NULL,
    last_seen   INTEGER NOT NULL,
    PRIMARY KEY (cluster, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE admission_count (
    cluster        TEXT NOT NULL,
    recommendation TEXT NOT NULL,
    namespace      TEXT NOT NULL,
    effect         TEXT NOT NULL,
    decisions      INTEGER NOT NULL,
    first_seen     INTEGER NOT NULL,
    last_seen      INTEGER NOT NULL,
    PRIMARY KEY (cluster, recommendation, namespace, effect)
) STRICT, WITHOUT ROWID;

CREATE TABLE admission_sample (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    cluster        TEXT NOT NULL,
    recommendation TEXT NOT NULL,
    namespace      TEXT NOT NULL,
    effect         TEXT NOT NULL,
    at             INTEGER NOT NULL,
    operation      TEXT NOT NULL,
    kind           TEXT NOT NULL,
    name           TEXT NOT NULL,
    author         TEXT NOT NULL,
    message        TEXT NOT NULL
) STRICT;
