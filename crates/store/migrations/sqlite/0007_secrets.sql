-- Credentials that images carry: their kind and place, never anything of the secret itself.
CREATE TABLE image_secret (
    image      INTEGER NOT NULL REFERENCES image ON DELETE CASCADE,
    position   INTEGER NOT NULL,
    rule       TEXT NOT NULL,
    title      TEXT NOT NULL,
    provider   TEXT NOT NULL,
    severity   INTEGER NOT NULL,
    confidence TEXT NOT NULL,
    path       TEXT NOT NULL,
    layer      INTEGER,
    is_hidden  INTEGER NOT NULL,
    line       INTEGER NOT NULL,
    start      INTEGER NOT NULL,
    PRIMARY KEY (image, position)
) STRICT;

-- NULL where nobody looked for them.
ALTER TABLE image ADD COLUMN secrets INTEGER;
