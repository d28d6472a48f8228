-- How often something unusual came in, by UTC day; experiment 0 is the installation.

CREATE TABLE tally (
    experiment INTEGER NOT NULL,
    day INTEGER NOT NULL,
    kind TEXT NOT NULL,
    code TEXT NOT NULL,
    amount INTEGER NOT NULL,
    PRIMARY KEY (experiment, day, kind, code)
) STRICT, WITHOUT ROWID;
