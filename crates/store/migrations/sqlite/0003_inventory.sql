-- What images hold, normalised: equal packages of different images share one row, and so do equal paths.
-- `identity` is a hash of everything that makes a row what it is, because what comes out of an image can
-- be longer than an index entry may be.
-- The counts of an image are kept incrementally by `matches::apply` and `images::save`.
CREATE TABLE image (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    digest         TEXT NOT NULL UNIQUE,
    config_digest  TEXT NOT NULL,
    os             TEXT NOT NULL,
    architecture   TEXT NOT NULL,
    created        TEXT,
    size_bytes     INTEGER NOT NULL,
    distro_id      TEXT,
    distro_version TEXT,
    distro_name    TEXT,
    first_seen     INTEGER NOT NULL,
    critical       INTEGER NOT NULL DEFAULT 0,
    high           INTEGER NOT NULL DEFAULT 0,
    medium         INTEGER NOT NULL DEFAULT 0,
    low            INTEGER NOT NULL DEFAULT 0,
    unknown        INTEGER NOT NULL DEFAULT 0,
    fixable        INTEGER NOT NULL DEFAULT 0,
    packages       INTEGER NOT NULL DEFAULT 0,
    problems       INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX image_newest ON image (first_seen, id);

CREATE TABLE image_reference (
    reference TEXT PRIMARY KEY,
    image     INTEGER NOT NULL REFERENCES image ON DELETE CASCADE
) STRICT;
CREATE INDEX image_reference_image ON image_reference (image);

CREATE TABLE layer (
    image      INTEGER NOT NULL REFERENCES image ON DELETE CASCADE,
    position   INTEGER NOT NULL,
    diff_id    TEXT NOT NULL,
    digest     TEXT,
    size_bytes INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    PRIMARY KEY (image, position)
) STRICT;

CREATE TABLE problem (
    image    INTEGER NOT NULL REFERENCES image ON DELETE CASCADE,
    position INTEGER NOT NULL,
    code     TEXT NOT NULL,
    place    TEXT NOT NULL,
    message  TEXT NOT NULL,
    PRIMARY KEY (image, position)
) STRICT;

CREATE TABLE package (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    identity       TEXT NOT NULL UNIQUE,
    kind           TEXT NOT NULL,
    name           TEXT NOT NULL,
    version        TEXT NOT NULL,
    source_name    TEXT,
    source_version TEXT,
    ecosystem      TEXT NOT NULL,
    purl           TEXT NOT NULL,
    match_name     TEXT NOT NULL
) STRICT;
CREATE INDEX package_match_name ON package (match_name);

CREATE TABLE path (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    identity TEXT NOT NULL UNIQUE,
    path     TEXT NOT NULL
) STRICT;

-- `path` has no foreign key: to prune a path would then need an index over all of this, the largest table.
CREATE TABLE image_package (
    image   INTEGER NOT NULL REFERENCES image ON DELETE CASCADE,
    package INTEGER NOT NULL REFERENCES package,
    path    INTEGER NOT NULL,
    layer   INTEGER NOT NULL,
    PRIMARY KEY (image, package, path)
) STRICT, WITHOUT ROWID;
CREATE INDEX image_package_package ON image_package (package);
