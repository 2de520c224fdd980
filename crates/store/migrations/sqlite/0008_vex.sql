-- VEX documents as they were sent, and what they say of the findings of each image.
CREATE TABLE vex_document (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    name       TEXT NOT NULL UNIQUE,
    source     TEXT NOT NULL,
    content    TEXT NOT NULL,
    statements INTEGER NOT NULL,
    account    INTEGER REFERENCES account ON DELETE SET NULL,
    created    INTEGER NOT NULL
) STRICT;

-- `reason` is NULL where a verdict does not take the finding out of the counts.
CREATE TABLE image_verdict (
    image         INTEGER NOT NULL REFERENCES image ON DELETE CASCADE,
    package       INTEGER NOT NULL,
    vulnerability INTEGER NOT NULL,
    status        TEXT NOT NULL,
    justification TEXT,
    statement     TEXT NOT NULL,
    document      TEXT NOT NULL,
    said          TEXT,
    reason        TEXT,
    PRIMARY KEY (image, package, vulnerability),
    FOREIGN KEY (package, vulnerability) REFERENCES package_vulnerability ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX image_verdict_match ON image_verdict (package, vulnerability);
CREATE INDEX image_verdict_document ON image_verdict (document);
