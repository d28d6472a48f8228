-- The whole schema; docs/data.md explains it on one page.

-- Configuration ---------------------------------------------------------------------

CREATE TABLE experiment (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    status TEXT NOT NULL,
    version INTEGER NOT NULL,
    document TEXT NOT NULL CHECK (json_valid(document))
) STRICT;

-- A random number that changes with every experiment, so that caches see it.
CREATE TABLE experiment_stamp (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    stamp INTEGER NOT NULL
) STRICT;
INSERT INTO experiment_stamp (id, stamp) VALUES (1, 0);

CREATE TABLE api_key (
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    secret_hash TEXT NOT NULL UNIQUE,
    hint TEXT NOT NULL,
    origins TEXT NOT NULL CHECK (json_valid(origins)),
    created_at TEXT NOT NULL,
    revoked_at TEXT
) STRICT;

CREATE TABLE user (
    name TEXT NOT NULL UNIQUE,
    role TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    created_at TEXT NOT NULL
) STRICT;

CREATE TABLE session (
    token_hash TEXT NOT NULL UNIQUE,
    user TEXT NOT NULL,
    created_at TEXT NOT NULL,
    expires_at TEXT NOT NULL
) STRICT;

CREATE TABLE audit_entry (
    id INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail TEXT NOT NULL
) STRICT;

CREATE TABLE setting (
    name TEXT NOT NULL UNIQUE,
    value TEXT NOT NULL
) STRICT;

-- Raw events: the truth -------------------------------------------------------------

-- Names of visitors (kind 1) and customers (kind 2).
CREATE TABLE node (
    id INTEGER PRIMARY KEY,
    kind INTEGER NOT NULL CHECK (kind IN (1, 2)),
    name TEXT NOT NULL,
    UNIQUE (kind, name)
) STRICT;

-- kind: 1 exposure, 2 conversion, 3 refund, 4 identity, 5 cost.
CREATE TABLE event (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    kind INTEGER NOT NULL CHECK (kind BETWEEN 1 AND 5),
    at INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    trusted INTEGER NOT NULL,
    visitor INTEGER REFERENCES node,
    customer INTEGER REFERENCES node,
    experiment INTEGER REFERENCES experiment,
    variant TEXT,
    attributes TEXT,
    step TEXT,
    value INTEGER,
    currency TEXT,
    order_number TEXT,
    source TEXT,
    day TEXT
) STRICT;
CREATE INDEX event_node ON event (coalesce(visitor, customer));
CREATE INDEX event_order ON event (order_number) WHERE order_number IS NOT NULL;

-- Derived from the events in the same transaction -----------------------------------

-- Nodes joined into one person; the representative is the smallest node and has no row.
CREATE TABLE person (
    node INTEGER PRIMARY KEY,
    representative INTEGER NOT NULL
) STRICT;
CREATE INDEX person_representative ON person (representative);

-- What became of each exposed visitor; detail: [[[ordinal, lag, count, amount], ...],
-- [[step, lag], ...]].
CREATE TABLE outcome (
    visitor INTEGER NOT NULL,
    experiment INTEGER NOT NULL,
    variant TEXT NOT NULL,
    day INTEGER NOT NULL,
    variants_seen INTEGER NOT NULL,
    detail TEXT,
    PRIMARY KEY (visitor, experiment)
) STRICT, WITHOUT ROWID;

CREATE TABLE cohort (
    experiment INTEGER NOT NULL,
    variant TEXT NOT NULL,
    day INTEGER NOT NULL,
    visitors INTEGER NOT NULL,
    contaminated INTEGER NOT NULL,
    PRIMARY KEY (experiment, variant, day)
) STRICT, WITHOUT ROWID;

-- A sum that leaves 64 bits is high * 2^32 + low with 0 <= low < 2^32.
CREATE TABLE cell (
    experiment INTEGER NOT NULL,
    variant TEXT NOT NULL,
    day INTEGER NOT NULL,
    lag INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    conversions INTEGER NOT NULL,
    total INTEGER NOT NULL,
    squares_high INTEGER NOT NULL,
    squares_low INTEGER NOT NULL,
    PRIMARY KEY (experiment, variant, day, lag, ordinal)
) STRICT, WITHOUT ROWID;

CREATE TABLE pair (
    experiment INTEGER NOT NULL,
    variant TEXT NOT NULL,
    day INTEGER NOT NULL,
    ordinal_a INTEGER NOT NULL,
    lag_a INTEGER NOT NULL,
    ordinal_b INTEGER NOT NULL,
    lag_b INTEGER NOT NULL,
    conversions INTEGER NOT NULL,
    product_high INTEGER NOT NULL,
    product_low INTEGER NOT NULL,
    count_amount INTEGER NOT NULL,
    amount_count INTEGER NOT NULL,
    PRIMARY KEY (experiment, variant, day, ordinal_a, lag_a, ordinal_b, lag_b)
) STRICT, WITHOUT ROWID;

CREATE TABLE step_cell (
    experiment INTEGER NOT NULL,
    variant TEXT NOT NULL,
    day INTEGER NOT NULL,
    lag INTEGER NOT NULL,
    step TEXT NOT NULL,
    visitors INTEGER NOT NULL,
    PRIMARY KEY (experiment, variant, day, lag, step)
) STRICT, WITHOUT ROWID;

CREATE TABLE exposure_span (
    experiment INTEGER PRIMARY KEY,
    first_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL
) STRICT;

CREATE TABLE step_reach (
    step TEXT PRIMARY KEY,
    last_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
