"""The tables of the gateway's database, as numbered migrations (README.md explains them).

A database at version n gets MIGRATIONS[n:] in one transaction when it is opened. Never edit a
migration that was released; append one.
"""

_V1 = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;

CREATE TABLE device (
    id TEXT PRIMARY KEY,
    first_seen_s REAL NOT NULL,
    last_seen_s REAL,                       -- receive time of the last valid frame
    status TEXT NOT NULL DEFAULT 'unknown', -- online, offline: the broker's word (last will)
    status_s REAL,
    info TEXT NOT NULL DEFAULT '{}',        -- JSON of the node's info map
    info_s REAL,
    first_time_s REAL,                      -- chart time of the earliest record
    last_time_s REAL,                       -- chart time of the newest live record
    last_boot INTEGER,
    last_backlog INTEGER NOT NULL DEFAULT 0,-- 1: the last frame was backfill
    frames INTEGER NOT NULL DEFAULT 0,
    frame_bytes INTEGER NOT NULL DEFAULT 0,
    records INTEGER NOT NULL DEFAULT 0,
    backlog_records INTEGER NOT NULL DEFAULT 0,
    duplicates INTEGER NOT NULL DEFAULT 0,
    undecodable INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;

CREATE TABLE record (
    device TEXT NOT NULL,
    boot INTEGER NOT NULL,
    stream INTEGER NOT NULL,   -- 0 events, 1 telemetry, 2 diagnostics
    seq INTEGER NOT NULL,
    payload BLOB NOT NULL,     -- one SenML-CBOR pack, as the node wrote it
    device_time_s REAL,        -- node's clock; 0: it was not set; NULL: payload not readable
    received_s REAL NOT NULL,  -- gateway's clock
    time_s REAL NOT NULL,      -- for charts: device_time_s if its clock was set, else received_s
    backlog INTEGER NOT NULL,  -- 1: written before the link session that carried it
    PRIMARY KEY (device, boot, stream, seq)
) WITHOUT ROWID;
CREATE INDEX record_event ON record (device, time_s) WHERE stream = 0;

CREATE TABLE series (
    id INTEGER PRIMARY KEY,
    device TEXT NOT NULL,
    name TEXT NOT NULL,
    unit TEXT NOT NULL,
    last_boot INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    last_time_s REAL NOT NULL,
    last_value REAL,
    last_text TEXT,
    UNIQUE (device, name, unit)
);

CREATE TABLE value (           -- one row per SenML entry; clustered by series and time
    series INTEGER NOT NULL,
    time_s REAL NOT NULL,
    boot INTEGER NOT NULL,
    stream INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    entry INTEGER NOT NULL,    -- position in the pack
    value REAL,                -- numbers; booleans as 0 and 1
    text TEXT,                 -- strings; byte strings in hex
    backlog INTEGER NOT NULL,
    PRIMARY KEY (series, time_s, boot, stream, seq, entry)
) WITHOUT ROWID;
CREATE VIEW value_named AS
    SELECT s.device, s.name, s.unit, v.time_s, v.value, v.text, v.boot, v.stream, v.seq, v.backlog
    FROM value v JOIN series s ON s.id = v.series;

CREATE TABLE watermark (
    device TEXT NOT NULL,
    boot INTEGER NOT NULL,
    stream INTEGER NOT NULL,
    upto INTEGER NOT NULL,     -- acknowledged: every seq <= upto is stored or in `gap`
    floor INTEGER NOT NULL,    -- highest `oldest - 1` seen: the node holds nothing below
    top INTEGER NOT NULL,      -- highest seq seen
    stored INTEGER NOT NULL,
    PRIMARY KEY (device, boot, stream)
) WITHOUT ROWID;

CREATE TABLE gap (             -- dropped by the node before they could be sent
    device TEXT NOT NULL,
    boot INTEGER NOT NULL,
    stream INTEGER NOT NULL,
    first_seq INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    noticed_s REAL NOT NULL,
    PRIMARY KEY (device, boot, stream, first_seq)
) WITHOUT ROWID;

CREATE TABLE conflict (        -- same key, other payload: the first one stays in `record`
    device TEXT NOT NULL,
    boot INTEGER NOT NULL,
    stream INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    payload BLOB NOT NULL,
    received_s REAL NOT NULL,
    PRIMARY KEY (device, boot, stream, seq, payload)
) WITHOUT ROWID;

CREATE TABLE activity (        -- which ten-minute slots hold any record, for gaps in charts
    device TEXT NOT NULL,
    slot INTEGER NOT NULL,     -- floor(time_s / 600)
    PRIMARY KEY (device, slot)
) WITHOUT ROWID;

CREATE TABLE alert (
    id INTEGER PRIMARY KEY,
    device TEXT NOT NULL,      -- '' for the gateway itself
    kind TEXT NOT NULL,
    key TEXT NOT NULL,         -- what of this kind: sensor, stream, reason
    severity TEXT NOT NULL,    -- info, warning, critical
    text TEXT NOT NULL,
    count INTEGER NOT NULL,
    opened_s REAL NOT NULL,
    last_s REAL NOT NULL,
    closed_s REAL
);
CREATE UNIQUE INDEX alert_open ON alert (device, kind, key) WHERE closed_s IS NULL;

CREATE TABLE reject (          -- messages that were not frames, by reason
    reason TEXT PRIMARY KEY,
    count INTEGER NOT NULL,
    last_s REAL NOT NULL,
    topic TEXT NOT NULL,       -- of the last one, with its first bytes
    sample BLOB NOT NULL
) WITHOUT ROWID;
"""

MIGRATIONS = (_V1,)
