-- Multicasting: one row per stream of an image version
CREATE TABLE multicast_sessions (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    -- Null when the version was deleted since; name and number stay.
    version_id      INTEGER REFERENCES image_versions (id) ON DELETE SET NULL,
    image_name      TEXT NOT NULL,
    version_number  INTEGER NOT NULL,
    -- The job of a scheduled-cast; null: auto-cast, for every job of the version.
    job_id          INTEGER REFERENCES jobs (id),
    start_rule      TEXT NOT NULL CHECK (start_rule IN ('firstHost', 'scheduled')),
    wait_for_hosts  INTEGER,
    wait_seconds    INTEGER,
    state           TEXT NOT NULL CHECK (state IN ('waiting', 'running', 'ended')),
    -- Counted up, on the disk, before a sender of this session makes its key: no two senders share one.
    epoch           INTEGER NOT NULL DEFAULT 0,
    created_at      INTEGER NOT NULL,
    first_host_at   INTEGER,
    started_at      INTEGER,
    ended_at        INTEGER,
    -- done: nobody was left; stopped: somebody said so; failed: the sender could not send.
    end_reason      TEXT CHECK (end_reason IN ('done', 'stopped', 'failed')),
    end_text        TEXT,
    -- Over all senders of the session, headers included; repair_bytes of them parity.
    bytes_sent      INTEGER NOT NULL DEFAULT 0,
    repair_bytes    INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX multicast_sessions_auto ON multicast_sessions (version_id) WHERE job_id IS NULL AND state <> 'ended';
CREATE UNIQUE INDEX multicast_sessions_job ON multicast_sessions (job_id) WHERE job_id IS NOT NULL;
CREATE INDEX multicast_sessions_version ON multicast_sessions (version_id) WHERE version_id IS NOT NULL;

-- Multicasting: the machines of a session, as they last left it or are in it
CREATE TABLE multicast_members (
    session_id INTEGER NOT NULL REFERENCES multicast_sessions (id) ON DELETE CASCADE,
    task_id    INTEGER NOT NULL,
    host_name  TEXT NOT NULL,
    address    TEXT NOT NULL,
    joined_at  INTEGER NOT NULL,
    -- Null: in it, or the server was killed.
    left_at    INTEGER,
    outcome    TEXT,
    -- JSON: what it had received and lost when it left.
    figures    TEXT,
    -- Why it heard nothing, and what helps.
    cause      TEXT,
    cure       TEXT,
    PRIMARY KEY (session_id, task_id)
) WITHOUT ROWID;
CREATE INDEX multicast_members_task ON multicast_members (task_id);
