-- What is wrong with packages. A finding of an image is a join of this with image_package, never a copy.
-- `content` is a hash of everything else in the row: it tells without reading the texts whether it changed.
CREATE TABLE vulnerability (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    name        TEXT NOT NULL UNIQUE,
    title       TEXT NOT NULL,
    description TEXT NOT NULL,
    cvss        TEXT NOT NULL,
    aliases     TEXT NOT NULL,
    links       TEXT NOT NULL,
    published   TEXT,
    modified    TEXT,
    content     TEXT NOT NULL
) STRICT;

CREATE TABLE package_vulnerability (
    package         INTEGER NOT NULL REFERENCES package,
    vulnerability   INTEGER NOT NULL REFERENCES vulnerability,
    severity        INTEGER NOT NULL,
    severity_source TEXT NOT NULL,
    status          TEXT NOT NULL,
    fixed_versions  TEXT NOT NULL,
    remediation     TEXT NOT NULL,
    advisories      TEXT NOT NULL,
    first_seen      INTEGER NOT NULL,
    PRIMARY KEY (package, vulnerability)
) STRICT, WITHOUT ROWID;
CREATE INDEX package_vulnerability_vulnerability ON package_vulnerability (vulnerability);
