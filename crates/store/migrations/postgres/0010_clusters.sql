-- Kubernetes clusters: what is known of each beside its asset, its facts one by one, and the hosts that are nodes.
CREATE TABLE cluster (
    asset         BIGINT PRIMARY KEY REFERENCES asset ON DELETE CASCADE,
    watcher       TEXT COLLATE "C" NOT NULL,
    revision      BIGINT NOT NULL,
    is_whole      BIGINT NOT NULL,
    collected_at  BIGINT NOT NULL,
    collections   TEXT COLLATE "C" NOT NULL,
    trouble       TEXT COLLATE "C",
    trouble_since BIGINT,
    version       TEXT COLLATE "C",
    provider      TEXT COLLATE "C",
    nodes         BIGINT,
    namespaces    BIGINT,
    workloads     BIGINT
);

-- `content` is the fact's data as JSON; NULL for a fact that is gone and was not yet judged as gone.
CREATE TABLE cluster_fact (
    asset    BIGINT NOT NULL REFERENCES asset ON DELETE CASCADE,
    kind     TEXT COLLATE "C" NOT NULL,
    object   TEXT COLLATE "C" NOT NULL,
    name     TEXT COLLATE "C" NOT NULL,
    hash     TEXT COLLATE "C" NOT NULL,
    revision BIGINT NOT NULL,
    content  TEXT COLLATE "C",
    PRIMARY KEY (asset, kind, object)
);
CREATE INDEX cluster_fact_revision ON cluster_fact (asset, revision, kind, object);

-- What a host says of the cluster that it is a node of. `digest` is of all that it says of Kubernetes.
CREATE TABLE cluster_node (
    host        BIGINT PRIMARY KEY REFERENCES asset ON DELETE CASCADE,
    node        TEXT COLLATE "C" NOT NULL,
    cluster_uid TEXT COLLATE "C",
    authorities TEXT COLLATE "C" NOT NULL,
    digest      TEXT COLLATE "C" NOT NULL
);

-- What people set for a recommendation instead of its own. NULL: its own.
CREATE TABLE recommendation_setting (
    recommendation      TEXT COLLATE "C" PRIMARY KEY,
    params              TEXT COLLATE "C" NOT NULL,
    excluded_namespaces TEXT COLLATE "C",
    enabled             BIGINT,
    author              TEXT COLLATE "C" NOT NULL,
    changed             BIGINT NOT NULL
);
