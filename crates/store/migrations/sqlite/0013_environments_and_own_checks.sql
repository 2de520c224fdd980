-- Environments: each has a score of its own, and exemptions can be made for one. `score.environment` is empty for all of
-- them together.
ALTER TABLE asset ADD COLUMN environment TEXT NOT NULL DEFAULT 'default';
ALTER TABLE join_token ADD COLUMN environment TEXT NOT NULL DEFAULT 'default';
ALTER TABLE sensor ADD COLUMN environment TEXT NOT NULL DEFAULT 'default';
ALTER TABLE exemption ADD COLUMN environment TEXT;
ALTER TABLE score ADD COLUMN environment TEXT NOT NULL DEFAULT '';
CREATE INDEX asset_environment ON asset (environment);
CREATE INDEX score_environment ON score (environment, id);

-- Counting verdicts reads an index alone, and the newest one is the last of another.
DROP INDEX control_verdict_benchmark;
CREATE INDEX control_verdict_outcome ON control_verdict (benchmark, version, control, outcome, asset);
CREATE INDEX control_verdict_since ON control_verdict (benchmark, version, since);

-- What a person's answer rests on, as text.
ALTER TABLE attestation ADD COLUMN evidence_name TEXT;
ALTER TABLE attestation ADD COLUMN evidence TEXT;

-- Checks and benchmarks that people brought, as they wrote them. `name` is a check's id, or a benchmark's id and edition.
CREATE TABLE own_content (
    name    TEXT PRIMARY KEY,
    kind    TEXT NOT NULL,
    title   TEXT NOT NULL,
    content TEXT NOT NULL,
    enabled INTEGER NOT NULL,
    author  TEXT NOT NULL,
    created INTEGER NOT NULL,
    changed INTEGER NOT NULL
) STRICT;
