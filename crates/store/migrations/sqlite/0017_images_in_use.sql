-- Which images assets use, as their facts name them, and which stored image each of them is. `identity` tells an image
-- from the others of its asset. `asked` is when this server had it scanned by itself.
CREATE TABLE asset_image (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    asset      INTEGER NOT NULL REFERENCES asset ON DELETE CASCADE,
    identity   TEXT NOT NULL,
    name       TEXT NOT NULL,
    digest     TEXT,
    image      INTEGER REFERENCES image ON DELETE SET NULL,
    asked      INTEGER,
    first_seen INTEGER NOT NULL,
    UNIQUE (asset, identity)
) STRICT;
CREATE INDEX asset_image_image ON asset_image (image, asset);

-- By what a stored image is recognised as this one, the best first: digests, and references as they are stored.
CREATE TABLE asset_image_key (
    asset_image INTEGER NOT NULL REFERENCES asset_image ON DELETE CASCADE,
    rank        INTEGER NOT NULL,
    key         TEXT NOT NULL,
    PRIMARY KEY (asset_image, rank)
) STRICT, WITHOUT ROWID;
CREATE INDEX asset_image_key_key ON asset_image_key (key);

-- The objects of an asset that use an image: workloads, and images and containers of hosts.
CREATE TABLE image_use (
    asset_image INTEGER NOT NULL REFERENCES asset_image ON DELETE CASCADE,
    kind        TEXT NOT NULL,
    object      TEXT NOT NULL,
    asset       INTEGER NOT NULL REFERENCES asset ON DELETE CASCADE,
    name        TEXT NOT NULL,
    sort        TEXT NOT NULL,
    namespace   TEXT NOT NULL,
    is_running  INTEGER NOT NULL,
    PRIMARY KEY (asset_image, kind, object)
) STRICT, WITHOUT ROWID;
CREATE INDEX image_use_object ON image_use (asset, kind, object);

-- Assets that use images, or hold them (`registry`: as references name it), with what was found in all of them.
-- `changes` counts up with whatever may change what is said of the asset, and `judged` is its value when that was said.
CREATE TABLE image_holder (
    asset      INTEGER PRIMARY KEY REFERENCES asset ON DELETE CASCADE,
    registry   TEXT,
    changes    INTEGER NOT NULL,
    judged     INTEGER NOT NULL,
    judged_at  INTEGER NOT NULL,
    images     INTEGER NOT NULL DEFAULT 0,
    unscanned  INTEGER NOT NULL DEFAULT 0,
    incomplete INTEGER NOT NULL DEFAULT 0,
    affected   INTEGER NOT NULL DEFAULT 0,
    critical   INTEGER NOT NULL DEFAULT 0,
    high       INTEGER NOT NULL DEFAULT 0,
    medium     INTEGER NOT NULL DEFAULT 0,
    low        INTEGER NOT NULL DEFAULT 0,
    unknown    INTEGER NOT NULL DEFAULT 0,
    fixable    INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX image_holder_stale ON image_holder (asset) WHERE changes <> judged;
CREATE INDEX image_holder_registry ON image_holder (registry);
CREATE INDEX image_config_digest ON image (config_digest);

-- When the image was read last, which outlives the scan's row, and how many files of it raise privileges: NULL where
-- nobody looked for them.
ALTER TABLE image ADD COLUMN scanned INTEGER;
ALTER TABLE image ADD COLUMN raising INTEGER;
UPDATE image SET scanned = COALESCE((SELECT MAX(s.finished) FROM scan s WHERE s.image = image.id), first_seen);

-- Files with setuid or setgid.
CREATE TABLE image_raising (
    image    INTEGER NOT NULL REFERENCES image ON DELETE CASCADE,
    position INTEGER NOT NULL,
    path     TEXT NOT NULL,
    mode     INTEGER NOT NULL,
    owner    INTEGER NOT NULL,
    grp      INTEGER NOT NULL,
    PRIMARY KEY (image, position)
) STRICT, WITHOUT ROWID;

-- What recommendations say of assets, with what lists of it are sorted and restricted by. That part is the asset's own,
-- and follows it by itself.
CREATE UNIQUE INDEX asset_listed ON asset (id, name, environment);
CREATE TABLE asset_health_listed (
    recommendation TEXT NOT NULL,
    asset          INTEGER NOT NULL,
    health         TEXT NOT NULL,
    reason         TEXT,
    exemption      INTEGER,
    since          INTEGER NOT NULL,
    name           TEXT NOT NULL,
    environment    TEXT NOT NULL,
    PRIMARY KEY (recommendation, asset),
    FOREIGN KEY (asset, name, environment) REFERENCES asset (id, name, environment) ON DELETE CASCADE ON UPDATE CASCADE
) STRICT, WITHOUT ROWID;
INSERT INTO asset_health_listed (recommendation, asset, health, reason, exemption, since, name, environment)
    SELECT h.recommendation, h.asset, h.health, h.reason, h.exemption, h.since, a.name, a.environment
    FROM asset_health h JOIN asset a ON a.id = h.asset;
DROP TABLE asset_health;
ALTER TABLE asset_health_listed RENAME TO asset_health;
CREATE INDEX asset_health_asset ON asset_health (asset, name, environment);
CREATE INDEX asset_health_state ON asset_health (recommendation, health, name, asset);
CREATE INDEX asset_health_environment ON asset_health (recommendation, environment, health, name, asset);

-- What an asset is in a score group.
CREATE TABLE asset_group (
    score_group TEXT NOT NULL,
    asset       INTEGER NOT NULL,
    state       TEXT NOT NULL,
    name        TEXT NOT NULL,
    environment TEXT NOT NULL,
    PRIMARY KEY (score_group, asset),
    FOREIGN KEY (asset, name, environment) REFERENCES asset (id, name, environment) ON DELETE CASCADE ON UPDATE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX asset_group_asset ON asset_group (asset, name, environment);
CREATE INDEX asset_group_state ON asset_group (score_group, state, name, asset);
CREATE INDEX asset_group_environment ON asset_group (environment, score_group, state, name, asset);

-- What is counted of all assets of an environment, and with the environment '' of all together; and what each asset
-- adds to it (JSON), so that whatever changes is taken away as it was added.
CREATE TABLE health_count (
    environment    TEXT NOT NULL,
    score_group    TEXT NOT NULL,
    recommendation TEXT NOT NULL,
    word           TEXT NOT NULL,
    number         INTEGER NOT NULL,
    PRIMARY KEY (environment, score_group, recommendation, word)
) STRICT, WITHOUT ROWID;
CREATE TABLE asset_share (
    asset       INTEGER PRIMARY KEY REFERENCES asset ON DELETE CASCADE,
    environment TEXT NOT NULL,
    shares      TEXT NOT NULL
) STRICT;

-- How many recommendations say what of an asset: the list of assets is sorted by it.
ALTER TABLE asset ADD COLUMN said_unhealthy INTEGER NOT NULL DEFAULT 0;
ALTER TABLE asset ADD COLUMN said_healthy INTEGER NOT NULL DEFAULT 0;
ALTER TABLE asset ADD COLUMN said_not_applicable INTEGER NOT NULL DEFAULT 0;
ALTER TABLE asset ADD COLUMN said_unknown INTEGER NOT NULL DEFAULT 0;
UPDATE asset SET
    said_unhealthy = (SELECT COUNT(*) FROM asset_health h WHERE h.asset = asset.id AND h.health = 'unhealthy'),
    said_healthy = (SELECT COUNT(*) FROM asset_health h WHERE h.asset = asset.id AND h.health = 'healthy'),
    said_not_applicable = (SELECT COUNT(*) FROM asset_health h WHERE h.asset = asset.id AND h.health = 'not_applicable'),
    said_unknown = (SELECT COUNT(*) FROM asset_health h WHERE h.asset = asset.id AND h.health = 'unknown');
CREATE INDEX asset_said ON asset (said_unhealthy, id);
CREATE INDEX asset_kind_said ON asset (kind, said_unhealthy, id);
CREATE INDEX asset_environment_said ON asset (environment, said_unhealthy, id);

-- How many assets have an outcome for a control, by environment, and with the environment '' of all together. With the
-- control and outcome '': how many were compared with the edition at all.
CREATE TABLE control_count (
    environment TEXT NOT NULL,
    benchmark   TEXT NOT NULL,
    version     TEXT NOT NULL,
    control     TEXT NOT NULL,
    outcome     TEXT NOT NULL,
    number      INTEGER NOT NULL,
    PRIMARY KEY (environment, benchmark, version, control, outcome)
) STRICT, WITHOUT ROWID;
INSERT INTO control_count (environment, benchmark, version, control, outcome, number)
    SELECT a.environment, c.benchmark, c.version, c.control, c.outcome, COUNT(*)
    FROM control_verdict c JOIN asset a ON a.id = c.asset
    GROUP BY a.environment, c.benchmark, c.version, c.control, c.outcome;
INSERT INTO control_count (environment, benchmark, version, control, outcome, number)
    SELECT a.environment, c.benchmark, c.version, '', '', COUNT(DISTINCT c.asset)
    FROM control_verdict c JOIN asset a ON a.id = c.asset
    GROUP BY a.environment, c.benchmark, c.version;
INSERT INTO control_count (environment, benchmark, version, control, outcome, number)
    SELECT '', benchmark, version, control, outcome, CAST(SUM(number) AS BIGINT) FROM control_count
    GROUP BY benchmark, version, control, outcome;
