-- Assets whose configuration is judged, what was seen of them last, and what checks and people say of it.
CREATE TABLE asset (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    kind        TEXT NOT NULL,
    external_id TEXT NOT NULL,
    name        TEXT NOT NULL,
    collector   TEXT NOT NULL,
    first_seen  INTEGER NOT NULL,
    last_seen   INTEGER NOT NULL,
    engines     TEXT NOT NULL,
    containers  INTEGER,
    running     INTEGER,
    images      INTEGER,
    state       TEXT NOT NULL,
    reason      TEXT,
    judged      INTEGER,
    critical    INTEGER NOT NULL,
    high        INTEGER NOT NULL,
    medium      INTEGER NOT NULL,
    low         INTEGER NOT NULL,
    unknown     INTEGER NOT NULL,
    UNIQUE (kind, external_id)
) STRICT;

-- The facts as zstd of JSON, and the digest of the JSON without its time.
CREATE TABLE asset_snapshot (
    asset        INTEGER PRIMARY KEY REFERENCES asset ON DELETE CASCADE,
    digest       TEXT NOT NULL,
    collected_at INTEGER NOT NULL,
    content      BLOB NOT NULL
) STRICT;

CREATE TABLE control_verdict (
    asset     INTEGER NOT NULL REFERENCES asset ON DELETE CASCADE,
    benchmark TEXT NOT NULL,
    version   TEXT NOT NULL,
    control   TEXT NOT NULL,
    outcome   TEXT NOT NULL,
    severity  INTEGER NOT NULL,
    reason    TEXT,
    since     INTEGER NOT NULL,
    PRIMARY KEY (asset, benchmark, version, control)
) STRICT, WITHOUT ROWID;
CREATE INDEX control_verdict_benchmark ON control_verdict (benchmark, version, control);

CREATE TABLE object_verdict (
    asset      INTEGER NOT NULL REFERENCES asset ON DELETE CASCADE,
    check_id   TEXT NOT NULL,
    params     TEXT NOT NULL,
    kind       TEXT NOT NULL,
    object     TEXT NOT NULL,
    name       TEXT NOT NULL,
    outcome    TEXT NOT NULL,
    actual     TEXT NOT NULL,
    expected   TEXT NOT NULL,
    reason     TEXT,
    first_seen INTEGER NOT NULL,
    changed    INTEGER NOT NULL,
    PRIMARY KEY (asset, check_id, params, kind, object)
) STRICT, WITHOUT ROWID;

-- `was` is NULL for a control that was not judged before.
CREATE TABLE control_change (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    asset     INTEGER NOT NULL REFERENCES asset ON DELETE CASCADE,
    at        INTEGER NOT NULL,
    benchmark TEXT NOT NULL,
    version   TEXT NOT NULL,
    control   TEXT NOT NULL,
    was       TEXT,
    outcome   TEXT NOT NULL
) STRICT;
CREATE INDEX control_change_asset ON control_change (asset, id);

-- What recommendations say of assets. `exemption` tells which one takes the asset out.
CREATE TABLE asset_health (
    recommendation TEXT NOT NULL,
    asset          INTEGER NOT NULL REFERENCES asset ON DELETE CASCADE,
    health         TEXT NOT NULL,
    reason         TEXT,
    exemption      INTEGER,
    since          INTEGER NOT NULL,
    PRIMARY KEY (recommendation, asset)
) STRICT, WITHOUT ROWID;
CREATE INDEX asset_health_asset ON asset_health (asset);

CREATE TABLE posture_exception (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    check_id  TEXT NOT NULL,
    benchmark TEXT,
    asset     TEXT,
    object    TEXT,
    reason    TEXT NOT NULL,
    author    TEXT NOT NULL,
    created   INTEGER NOT NULL,
    expires   INTEGER
) STRICT;

CREATE TABLE attestation (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    asset     INTEGER NOT NULL REFERENCES asset ON DELETE CASCADE,
    benchmark TEXT NOT NULL,
    version   TEXT NOT NULL,
    control   TEXT NOT NULL,
    outcome   TEXT NOT NULL,
    reason    TEXT NOT NULL,
    author    TEXT NOT NULL,
    created   INTEGER NOT NULL,
    expires   INTEGER
) STRICT;
CREATE INDEX attestation_asset ON attestation (asset);

-- Without an asset: of all of them.
CREATE TABLE exemption (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    recommendation TEXT NOT NULL,
    asset          INTEGER REFERENCES asset ON DELETE CASCADE,
    kind           TEXT NOT NULL,
    reason         TEXT NOT NULL,
    author         TEXT NOT NULL,
    created        INTEGER NOT NULL,
    expires        INTEGER
) STRICT;
CREATE INDEX exemption_asset ON exemption (asset);

CREATE TABLE join_token (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    token_hash BLOB NOT NULL UNIQUE,
    name       TEXT NOT NULL,
    author     TEXT NOT NULL,
    created    INTEGER NOT NULL,
    expires    INTEGER NOT NULL,
    most_uses  INTEGER,
    uses       INTEGER NOT NULL,
    last_used  INTEGER
) STRICT;

-- `asset` is NULL until the sensor has sent facts.
CREATE TABLE sensor (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    token_hash BLOB NOT NULL UNIQUE,
    name       TEXT NOT NULL,
    version    TEXT NOT NULL,
    joined_by  TEXT NOT NULL,
    asset      INTEGER REFERENCES asset ON DELETE CASCADE,
    created    INTEGER NOT NULL,
    last_seen  INTEGER NOT NULL
) STRICT;
CREATE INDEX sensor_asset ON sensor (asset);

-- In millionths of a point. `causes` is JSON: which assets changed for which recommendations.
CREATE TABLE score (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    at      INTEGER NOT NULL,
    points  INTEGER NOT NULL,
    most    INTEGER NOT NULL,
    causes  TEXT NOT NULL
) STRICT;
