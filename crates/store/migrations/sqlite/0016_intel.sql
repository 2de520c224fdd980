-- Lists of threat intelligence. `settings`, `extends`, `validator` and `unused` are JSON; no secret is ever among them.
-- `content` is what could be used of the list, as zstd of JSON; it stays when fetching fails.
CREATE TABLE intel_list (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    name        TEXT NOT NULL UNIQUE,
    settings    TEXT NOT NULL,
    extends     TEXT NOT NULL,
    every_hours INTEGER NOT NULL,
    is_on       INTEGER NOT NULL,
    author      TEXT NOT NULL,
    created     INTEGER NOT NULL,
    tried       INTEGER,
    succeeded   INTEGER,
    changed     INTEGER,
    problem     TEXT,
    validator   TEXT NOT NULL,
    entries     INTEGER NOT NULL,
    unused      TEXT NOT NULL,
    content     BLOB
) STRICT;

-- `uid` is that of the namespace kube-system, where events showed it. `asset_by` says why a cluster is the asset that it
-- is: `person`, `uid` or `name`. `objects` is what the judge knows of the cluster's objects.
ALTER TABLE audit_cluster ADD COLUMN uid TEXT;
ALTER TABLE audit_cluster ADD COLUMN asset_by TEXT;
ALTER TABLE audit_cluster ADD COLUMN objects BLOB;
