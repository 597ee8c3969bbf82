-- Times are Unix milliseconds UTC. Secrets are stored as SHA-256 (random tokens) or as a password hash, never plain.
-- Each table belongs to one feature folder, named in its comment; no other feature reads it.
-- AUTOINCREMENT where an id is known outside its row (tokens, leases, logs, scripts): a deleted one is never given to another.

-- Hosts
CREATE TABLE hosts (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    name             TEXT NOT NULL,
    state            TEXT NOT NULL CHECK (state IN ('discovered', 'approved')),
    uuid             TEXT,
    serial           TEXT,
    asset_tag        TEXT,
    manufacturer     TEXT,
    product          TEXT,
    architecture     TEXT,
    platform         TEXT,
    local_boot       TEXT,
    inventory        TEXT,
    created_at       INTEGER NOT NULL,
    last_seen_at     INTEGER,
    last_seen_address TEXT
);
CREATE INDEX hosts_state_seen ON hosts (state, last_seen_at);
CREATE TABLE host_macs (
    mac     TEXT PRIMARY KEY,
    host_id INTEGER NOT NULL REFERENCES hosts (id) ON DELETE CASCADE
) WITHOUT ROWID;
CREATE INDEX host_macs_host ON host_macs (host_id);

-- Boot
CREATE TABLE boot_events (
    id     INTEGER PRIMARY KEY,
    mac    TEXT NOT NULL,
    at     INTEGER NOT NULL,
    step   TEXT NOT NULL,
    detail TEXT NOT NULL,
    bytes  INTEGER,
    millis INTEGER
);
CREATE INDEX boot_events_mac ON boot_events (mac, id);
CREATE TABLE boot_tokens (
    token_hash  BLOB PRIMARY KEY,
    task_id     INTEGER NOT NULL,
    mac         TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    nonce_hash  BLOB,
    used_at     INTEGER
) WITHOUT ROWID;
CREATE INDEX boot_tokens_task ON boot_tokens (task_id);

-- Agents: what an accepted check-in was told, so that its repetition gets the same answer
CREATE TABLE check_ins (
    boot_token_hash BLOB PRIMARY KEY,
    task_id         INTEGER NOT NULL,
    at              INTEGER NOT NULL,
    resumed         INTEGER NOT NULL,
    assignment      TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX check_ins_task ON check_ins (task_id);

-- Boot (the DHCP mode's own leases)
CREATE TABLE dhcp_leases (
    address TEXT PRIMARY KEY,
    mac     TEXT NOT NULL,
    state   TEXT NOT NULL,
    until   INTEGER NOT NULL
) WITHOUT ROWID;

-- Images
CREATE TABLE images (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    name        TEXT NOT NULL UNIQUE,
    description TEXT,
    created_at  INTEGER NOT NULL,
    -- What a deploy without a version gets; null only while there is no version.
    current_version_id INTEGER REFERENCES image_versions (id) ON DELETE SET NULL,
    -- The highest number ever given: a deleted version's number never names another.
    last_number INTEGER NOT NULL DEFAULT 0,
    -- Retention: how many unpinned versions stay; null: all.
    keep_last   INTEGER
);
CREATE TABLE image_versions (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    image_id      INTEGER NOT NULL REFERENCES images (id),
    number        INTEGER NOT NULL,
    manifest_hash TEXT NOT NULL,
    signature     BLOB NOT NULL,
    task_id       INTEGER,
    sealed_at     INTEGER NOT NULL,
    disk_bytes    INTEGER NOT NULL,
    used_bytes    INTEGER NOT NULL,
    chunk_count   INTEGER NOT NULL,
    stored_bytes  INTEGER NOT NULL,
    -- Of stored_bytes, what this capture had to send; null: nobody counted.
    new_bytes     INTEGER,
    -- Of stored_bytes, what no other version has; null: not yet worked out.
    unique_bytes  INTEGER,
    pinned        INTEGER NOT NULL DEFAULT 0,
    -- The version this one was made from, for example by shrinking; null: captured, or that one is deleted.
    derived_from  INTEGER REFERENCES image_versions (id) ON DELETE SET NULL,
    -- What could not be read from the source disk, a JSON list; null: nothing is missing.
    damaged       TEXT,
    -- When every chunk of it was last hashed.
    verified_at   INTEGER,
    UNIQUE (image_id, number)
);
CREATE INDEX image_versions_manifest ON image_versions (manifest_hash);
CREATE INDEX image_versions_derived ON image_versions (derived_from) WHERE derived_from IS NOT NULL;
-- Chunks that are bad or missing in the store, once for each version that needs them; gone when the chunk is stored again.
CREATE TABLE version_faults (
    chunk_id   BLOB NOT NULL,
    version_id INTEGER NOT NULL REFERENCES image_versions (id) ON DELETE CASCADE,
    kind       TEXT NOT NULL CHECK (kind IN ('corrupt', 'missing')),
    found_at   INTEGER NOT NULL,
    PRIMARY KEY (chunk_id, version_id)
) WITHOUT ROWID;
CREATE INDEX version_faults_version ON version_faults (version_id);

-- ImageStore
CREATE TABLE chunk_leases (
    task_id    INTEGER NOT NULL,
    chunk_id   BLOB NOT NULL,
    -- It was not held when the task first asked.
    lacked     INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (task_id, chunk_id)
) WITHOUT ROWID;
-- Sweeps and verifications; an interrupted verification goes on from its position.
CREATE TABLE store_runs (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    kind       TEXT NOT NULL,
    state      TEXT NOT NULL,
    started_by TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at   INTEGER,
    -- JSON: what was asked for, how far it is, what was found.
    request    TEXT NOT NULL,
    progress   TEXT NOT NULL
);
CREATE INDEX store_runs_kind ON store_runs (kind, id);

-- Jobs
CREATE TABLE jobs (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    kind             TEXT NOT NULL,
    -- Null also when it was deleted since; the parameters keep the name and number.
    image_id         INTEGER REFERENCES images (id) ON DELETE SET NULL,
    image_version_id INTEGER REFERENCES image_versions (id) ON DELETE SET NULL,
    parameters       TEXT NOT NULL,
    created_at       INTEGER NOT NULL,
    created_by       TEXT NOT NULL,
    idempotency_key  TEXT UNIQUE,
    -- SHA-256 of the request that used the key: the same key with another request is refused.
    request_hash     BLOB
);
CREATE INDEX jobs_image_version ON jobs (image_version_id) WHERE image_version_id IS NOT NULL;
CREATE INDEX jobs_image ON jobs (image_id) WHERE image_id IS NOT NULL;
CREATE TABLE host_tasks (
    id                INTEGER PRIMARY KEY AUTOINCREMENT,
    job_id            INTEGER NOT NULL REFERENCES jobs (id),
    host_id           INTEGER NOT NULL REFERENCES hosts (id),
    state             TEXT NOT NULL,
    created_at        INTEGER NOT NULL,
    started_at        INTEGER,
    finished_at       INTEGER,
    last_heard_at     INTEGER,
    detail            TEXT,
    bytes_done        INTEGER NOT NULL DEFAULT 0,
    bytes_total       INTEGER NOT NULL DEFAULT 0,
    bytes_sent        INTEGER NOT NULL DEFAULT 0,
    bytes_per_second  REAL NOT NULL DEFAULT 0,
    plan              TEXT,
    summary           TEXT,
    proof             TEXT,
    notes             TEXT,
    failure_code      TEXT,
    failure_fault     TEXT,
    failure_sentence  TEXT,
    failure_cure      TEXT,
    cancel_requested  INTEGER NOT NULL DEFAULT 0,
    task_token_hash   BLOB,
    target_disk       TEXT,
    checked_in_uuid   TEXT,
    checked_in_serial TEXT,
    resumes_without_progress INTEGER NOT NULL DEFAULT 0,
    -- How far the task ever got (phase and bytes in one number), and how far that was at the last check-in.
    progress_mark             INTEGER NOT NULL DEFAULT 0,
    progress_mark_at_check_in INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX host_tasks_job ON host_tasks (job_id);
CREATE INDEX host_tasks_host ON host_tasks (host_id, id);
CREATE UNIQUE INDEX host_tasks_token ON host_tasks (task_token_hash) WHERE task_token_hash IS NOT NULL;
-- One unfinished task per host: two jobs can never fight over one disk.
CREATE UNIQUE INDEX host_tasks_one_active ON host_tasks (host_id)
    WHERE state NOT IN ('succeeded', 'failed', 'cancelled');
CREATE TABLE host_task_events (
    id      INTEGER PRIMARY KEY,
    task_id INTEGER NOT NULL REFERENCES host_tasks (id),
    at      INTEGER NOT NULL,
    state   TEXT NOT NULL,
    text    TEXT NOT NULL
);
CREATE INDEX host_task_events_task ON host_task_events (task_id, id);

-- Access
CREATE TABLE users (
    id            INTEGER PRIMARY KEY,
    name          TEXT NOT NULL UNIQUE COLLATE NOCASE,
    password_hash TEXT NOT NULL,
    created_at    INTEGER NOT NULL
);
-- A login in a browser; signing out deletes the row, so a copied cookie is worth nothing afterwards.
CREATE TABLE sessions (
    secret_hash  BLOB PRIMARY KEY,
    user_id      INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at   INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE api_tokens (
    id           INTEGER PRIMARY KEY,
    name         TEXT NOT NULL,
    token_hash   BLOB NOT NULL UNIQUE,
    scopes       TEXT NOT NULL,
    user_id      INTEGER REFERENCES users (id) ON DELETE CASCADE,
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER,
    last_used_at INTEGER
);

-- Everything that people should notice: alarms, refusals, service changes
CREATE TABLE events (
    id      INTEGER PRIMARY KEY,
    at      INTEGER NOT NULL,
    kind    TEXT NOT NULL,
    subject TEXT NOT NULL,
    text    TEXT NOT NULL
);
CREATE TABLE settings (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;
