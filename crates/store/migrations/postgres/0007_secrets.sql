-- Credentials that images carry: their kind and place, never anything of the secret itself.
CREATE TABLE image_secret (
    image      BIGINT NOT NULL REFERENCES image ON DELETE CASCADE,
    position   BIGINT NOT NULL,
    rule       TEXT COLLATE "C" NOT NULL,
    title      TEXT COLLATE "C" NOT NULL,
    provider   TEXT COLLATE "C" NOT NULL,
    severity   BIGINT NOT NULL,
    confidence TEXT COLLATE "C" NOT NULL,
    path       TEXT COLLATE "C" NOT NULL,
    layer      BIGINT,
    is_hidden  BIGINT NOT NULL,
    line       BIGINT NOT NULL,
    start      BIGINT NOT NULL,
    PRIMARY KEY (image, position)
);

-- NULL where nobody looked for them.
ALTER TABLE image ADD COLUMN secrets BIGINT;
