-- Whom the server asks for assets of clouds. `settings` and `problems` are JSON; no secret is ever among them. Times that
-- are NULL have not come yet.
CREATE TABLE connector (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    kind        TEXT NOT NULL,
    name        TEXT NOT NULL UNIQUE,
    settings    TEXT NOT NULL,
    every_hours INTEGER NOT NULL,
    author      TEXT NOT NULL,
    created     INTEGER NOT NULL,
    state       TEXT NOT NULL,
    tried       INTEGER,
    succeeded   INTEGER,
    problems    TEXT NOT NULL
) STRICT;

-- Which assets a connector brought. Two may bring the same.
CREATE TABLE connector_asset (
    connector INTEGER NOT NULL REFERENCES connector ON DELETE CASCADE,
    asset     INTEGER NOT NULL REFERENCES asset ON DELETE CASCADE,
    PRIMARY KEY (connector, asset)
) STRICT, WITHOUT ROWID;
CREATE INDEX connector_asset_asset ON connector_asset (asset);
