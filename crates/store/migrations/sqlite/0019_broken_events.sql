-- What came of a cluster's audit events and was none, or could not be judged in full, by a word for what is wrong.
CREATE TABLE audit_broken (
    cluster INTEGER NOT NULL REFERENCES audit_cluster ON DELETE CASCADE,
    kind    TEXT NOT NULL,
    events  INTEGER NOT NULL,
    last    INTEGER NOT NULL,
    PRIMARY KEY (cluster, kind)
) STRICT;
