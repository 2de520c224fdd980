-- What a cloud says of a cluster, by which it is known again when it is seen from within. `endpoints` is a JSON list.
CREATE TABLE cloud_cluster (
    asset      INTEGER PRIMARY KEY REFERENCES asset ON DELETE CASCADE,
    node_group TEXT,
    endpoints  TEXT NOT NULL,
    version    TEXT
) STRICT;

-- Clusters that are seen from within and from their cloud: `cloud` is judged as a part of `cluster`. `author` is NULL where
-- nobody said so but it was found; `cloud` is NULL where somebody said that there is none.
CREATE TABLE cluster_side (
    cluster INTEGER PRIMARY KEY REFERENCES asset ON DELETE CASCADE,
    cloud   INTEGER UNIQUE REFERENCES asset ON DELETE CASCADE,
    how     TEXT NOT NULL,
    author  TEXT,
    since   INTEGER NOT NULL
) STRICT;

-- `subscriptions` is JSON: what came of each at the last run.
ALTER TABLE connector ADD COLUMN paused INTEGER NOT NULL DEFAULT 0;
ALTER TABLE connector ADD COLUMN subscriptions TEXT NOT NULL DEFAULT '[]';

-- What was set for recommendations, one row for each change. `params` is NULL where it was taken back.
CREATE TABLE recommendation_setting_change (
    id                  INTEGER PRIMARY KEY AUTOINCREMENT,
    recommendation      TEXT NOT NULL,
    at                  INTEGER NOT NULL,
    author              TEXT NOT NULL,
    params              TEXT,
    excluded_namespaces TEXT,
    enabled             INTEGER
) STRICT;
CREATE INDEX recommendation_setting_change_recommendation ON recommendation_setting_change (recommendation, id);
