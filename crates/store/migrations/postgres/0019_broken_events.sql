-- What came of a cluster's audit events and was none, or could not be judged in full, by a word for what is wrong.
CREATE TABLE audit_broken (
    cluster BIGINT NOT NULL REFERENCES audit_cluster ON DELETE CASCADE,
    kind    TEXT COLLATE "C" NOT NULL,
    events  BIGINT NOT NULL,
    last    BIGINT NOT NULL,
    PRIMARY KEY (cluster, kind)
);
