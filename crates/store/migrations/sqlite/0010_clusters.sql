-- Kubernetes clusters: what is known of each beside its asset, its facts one by one, and the hosts that are nodes.
CREATE TABLE cluster (
    asset         INTEGER PRIMARY KEY REFERENCES asset ON DELETE CASCADE,
    watcher       TEXT NOT NULL,
    revision      INTEGER NOT NULL,
    is_whole      INTEGER NOT NULL,
    collected_at  INTEGER NOT NULL,
    collections   TEXT NOT NULL,
    trouble       TEXT,
    trouble_since INTEGER,
    version       TEXT,
    provider      TEXT,
    nodes         INTEGER,
    namespaces    INTEGER,
    workloads     INTEGER
) STRICT;

-- `content` is the fact's data as JSON; NULL for a fact that is gone and was not yet judged as gone.
CREATE TABLE cluster_fact (
    asset    INTEGER NOT NULL REFERENCES asset ON DELETE CASCADE,
    kind     TEXT NOT NULL,
    object   TEXT NOT NULL,
    name     TEXT NOT NULL,
    hash     TEXT NOT NULL,
    revision INTEGER NOT NULL,
    content  TEXT,
    PRIMARY KEY (asset, kind, object)
) STRICT;
CREATE INDEX cluster_fact_revision ON cluster_fact (asset, revision, kind, object);

-- What a host says of the cluster that it is a node of. `digest` is of all that it says of Kubernetes.
CREATE TABLE cluster_node (
    host        INTEGER PRIMARY KEY REFERENCES asset ON DELETE CASCADE,
    node        TEXT NOT NULL,
    cluster_uid TEXT,
    authorities TEXT NOT NULL,
    digest      TEXT NOT NULL
) STRICT;

-- What people set for a recommendation instead of its own. NULL: its own.
CREATE TABLE recommendation_setting (
    recommendation      TEXT PRIMARY KEY,
    params              TEXT NOT NULL,
    excluded_namespaces TEXT,
    enabled             INTEGER,
    author              TEXT NOT NULL,
    changed             INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
