-- 001_facts.sql — everything that is kept.  Append-only: a later change is a later file.
-- Times are Unix seconds, UTC.  Text that repeats is stored once in string and referred to by number.
-- A wording is a text with places for what the row has elsewhere: char(1) own, (2) ip, (3) host, (4) helo,
-- (5) sender, (6) recipient; the views put them in.
-- An event's identity is (at, mark): mark hashes (server, canonical line, its how-manieth in that second).

CREATE TABLE meta (
    name  TEXT PRIMARY KEY,             -- 'hash_seed': string_hash's, drawn when the database is made; 'facts': which tables
                                        -- it was made with; 'views': the text of its views
    value ANY                           -- its value
) STRICT, WITHOUT ROWID;

CREATE TABLE server (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,          -- as --server, the configuration or the host name said at first ingest
    zone TEXT NOT NULL,                 -- tz database name in which its local stamps are read; fixed
    pruned_before INTEGER               -- first second of the local day before which its facts are pruned and its sums
                                        -- stay as they are; NULL: none were
) STRICT;

CREATE TABLE zone_offset (
    server     INTEGER NOT NULL,        -- server.id
    since      INTEGER NOT NULL,        -- first second at which this offset holds
    utc_offset INTEGER NOT NULL,        -- seconds east of UTC
    PRIMARY KEY (server, since)
) STRICT, WITHOUT ROWID;

CREATE TABLE string (
    id     INTEGER PRIMARY KEY,
    text   TEXT NOT NULL,               -- address, host, IP, reason ...; control bytes as #ooo
    domain INTEGER                      -- string.id of the domain part: a@b.c -> b.c, mx.b.c -> b.c; NULL: none
) STRICT;

CREATE TABLE string_run (               -- strings, and rows of client, route and cause, are found by 64 bits over what
                                        -- they say, seeded with meta.hash_seed: each hash is in one run
    id    INTEGER PRIMARY KEY,
    level INTEGER NOT NULL UNIQUE,      -- a run has at most 8192 x 8^level hashes; those that grow together become one
    bits  INTEGER NOT NULL,             -- how many first bits the hashes of a bucket have in common
    pairs INTEGER NOT NULL              -- hashes in it
) STRICT;

CREATE TABLE string_hash (
    bucket INTEGER PRIMARY KEY,         -- string_run.id x 2^32 + the first bits of the hashes in it
    pairs  BLOB NOT NULL                -- sorted: hash, 8 octets, and id, 4 octets, each big-endian
) STRICT;

CREATE TABLE string_filter (            -- tells of most hashes that a run has not that it has them not
    part INTEGER PRIMARY KEY,           -- string_run.id x 2^32 + the first bits of its hashes, 5 fewer than a bucket's
    bits BLOB NOT NULL                  -- a Bloom filter
) STRICT;

CREATE TABLE mention (                  -- when a row has a text in a column, in its client or in its route; not
                                        -- what was said, and not Message-IDs.  View mentions reads it
    place   INTEGER PRIMARY KEY,        -- UTC day since 1970-01-01 * 4194304 + string.id / 1024
    strings BLOB NOT NULL,              -- two octets each, sorted: of n = string.id % 1024 * 4 + k: 64 + n / 64, n % 64; k:
                                        -- 0 in a column, 1 in a client, 2 in a route, 3 as the domain or in small letters
    times   BLOB NOT NULL               -- of each of these, four octets: bits, the lowest is the hour from 00:00 on; the
                                        -- upper eight are the eighths of an hour in which it is, in any of these hours
) STRICT;

CREATE TABLE id_mention (               -- when a message of a Message-ID came or a client was refused under an Exim id,
                                        -- and what is far, half an hour, from the time in an Exim id: lines and bounces of
                                        -- its message
    place   INTEGER PRIMARY KEY,        -- UTC day since 1970-01-01 * 64 + first 6 bits of the id's hash, seeded with
                                        -- meta.hash_seed
    ids     BLOB NOT NULL               -- five octets each, sorted: the next 32 bits, and the eighth of an hour
) STRICT;

-- What rows have in common stands once, like a string: by whom, which way, what was said.

CREATE TABLE client (                   -- who connected, as a line's H= tells
    id   INTEGER PRIMARY KEY,
    host INTEGER,                       -- string: verified host name; NULL: none, or local
    helo INTEGER,                       -- string: what the client called itself
    ip   INTEGER                        -- string; NULL: local submission
) STRICT;

CREATE TABLE route (                    -- which way a delivery went
    id        INTEGER PRIMARY KEY,
    router    INTEGER,                  -- string
    transport INTEGER,                  -- string
    host      INTEGER,                  -- string; NULL: local
    ip        INTEGER,                  -- string
    tls       INTEGER                   -- string: X=: version and cipher
) STRICT;

CREATE TABLE cause (                    -- what was said of a delivery or a rejection
    id           INTEGER PRIMARY KEY,
    stage        INTEGER,               -- string, of a rejection: connect helo mail rcpt predata data mime auth starttls ...
    temporary    INTEGER,               -- of a rejection: 1: 4xx, may be tried again
    error        INTEGER,               -- of a delivery: defer (N): > 0 errno, < 0 Exim's own
    reason       INTEGER,               -- string: why rejected, deferred or failed, what varies taken out
    reason_class INTEGER,               -- string: class of the reason
    response     INTEGER,               -- C=: the remote's answer, decoded; string: as a wording
    detail       INTEGER,               -- the reason as written; string: as a wording; NULL: as reason
    smtp_code    INTEGER,               -- reply code in the reason or the answer, 200-999; NULL: none told
    enhanced_code INTEGER               -- string: x.y.z of RFC 3463 beside it
) STRICT;

CREATE TABLE source (
    id         INTEGER PRIMARY KEY,
    server     INTEGER NOT NULL,        -- server.id
    path       TEXT NOT NULL,           -- as last seen; '-' is standard input
    head_hash  INTEGER NOT NULL,        -- over its first head_size bytes, uncompressed: what it is known by
    head_size  INTEGER NOT NULL,        -- octets, at most 4096
    position   INTEGER NOT NULL,        -- octets read, uncompressed
    tail_hash  INTEGER NOT NULL,        -- over the up to 4096 octets before tail_at: no other log has them there
    tail_at    INTEGER NOT NULL,        -- position; or behind it, where forget made that be read anew
    lines      INTEGER NOT NULL,        -- lines read
    first_at   INTEGER,                 -- earliest event
    last_at    INTEGER,                 -- latest event
    longest_gap INTEGER,                -- seconds of the longest silence in it
    gap_at     INTEGER,                 -- when that silence began
    years      TEXT,                    -- 'printed', 'inferred', 'given': where the years came from
    year       INTEGER,                 -- taken for the first stamp without one; NULL: none was asked for
    syslog_single INTEGER NOT NULL,     -- 1: syslog_duplication = no: each rejection is in syslog once
    damage     TEXT,                    -- why it ended early (a truncated .gz ...); NULL: whole
    read_at    INTEGER NOT NULL,        -- when it was last read
    archived   INTEGER NOT NULL,        -- 1: its lines are kept in line_block; 0: they are not
    pruned_lines  INTEGER NOT NULL DEFAULT 0, -- lines of its archive that were pruned, from its beginning
    pruned_octets INTEGER NOT NULL DEFAULT 0, -- and how many octets they were
    carry      BLOB                     -- what the next read takes up: last stamp, counters, unfinished lines
) STRICT;
CREATE INDEX source_head ON source (head_hash);

CREATE TABLE source_file (
    device   INTEGER NOT NULL,
    inode    INTEGER NOT NULL,
    size     INTEGER NOT NULL,          -- octets as stored
    mtime_ns INTEGER NOT NULL,
    source   INTEGER NOT NULL,          -- source.id: this very file was read to its end
    PRIMARY KEY (device, inode, size, mtime_ns)
) STRICT, WITHOUT ROWID;

CREATE TABLE line_block (               -- the archive: lines as they were read; of one source they follow without a hole
    id       INTEGER PRIMARY KEY,
    source   INTEGER NOT NULL,          -- source.id
    line     INTEGER NOT NULL,          -- number of the line that its first octet is of, from 1
    position INTEGER NOT NULL,          -- octets of the source before it
    lines    INTEGER NOT NULL,          -- lines that end in it
    octets   INTEGER NOT NULL,          -- of text, at most 1 MiB; a longer line is in several blocks
    first_at INTEGER,                   -- earliest instant of its lines; NULL: none has one
    last_at  INTEGER,                   -- latest
    checksum INTEGER NOT NULL,          -- XXH3, 64 bits, over the text
    text     BLOB NOT NULL              -- zstd
) STRICT;
CREATE UNIQUE INDEX line_block_line ON line_block (source, line, position);
CREATE INDEX line_block_last_at ON line_block (last_at);

CREATE TABLE line_tally (
    source  INTEGER NOT NULL,           -- source.id
    dialect TEXT NOT NULL,              -- 'exim_mainlog', 'spamd' ...; '' for blank and unframed lines
    kind    TEXT NOT NULL,              -- event kind; 'blank', 'foreign', 'unparsed', 'damaged'
    program TEXT NOT NULL,              -- syslog program of foreign lines, else ''
    lines   INTEGER NOT NULL,           -- lines of this kind read
    copies  INTEGER NOT NULL,           -- of them already known through another source or channel
    PRIMARY KEY (source, dialect, kind, program)
) STRICT, WITHOUT ROWID;

CREATE TABLE message (
    id             INTEGER PRIMARY KEY,
    server         INTEGER NOT NULL,    -- server.id
    exim_id        TEXT NOT NULL,       -- 16 or 23 characters, unique per server
    at             INTEGER NOT NULL,    -- received, or the first line seen of it
    received       INTEGER,             -- arrival line <= or (=; NULL: arrival never seen
    received_ms    INTEGER,             -- fraction of that stamp, 0-999; NULL: none printed
    arrival_mark   INTEGER,             -- mark of the arrival line taken
    arrival_source INTEGER,             -- source.id of the arrival line
    sender         INTEGER,             -- envelope sender; the empty string is the null sender <>
    client         INTEGER,             -- client.id; NULL: local submission
    protocol       INTEGER,             -- P=
    auth           INTEGER,             -- authenticator
    auth_id        INTEGER,             -- authenticated id
    local_user     INTEGER,             -- U=: local user or ident
    tls            INTEGER,             -- X=: version and cipher
    size           INTEGER,             -- S=, octets
    subject        TEXT,                -- T=, decoded
    message_id     TEXT,                -- id=, without <>
    recipients     TEXT,                -- envelope recipients, where logged: a JSON array
    parent         TEXT,                -- R=: exim id of the message this one reports on
    copy_of        TEXT,                -- exim id of the message that was re-injected as this one
    flags          INTEGER NOT NULL,    -- 1 several arrivals, 2 fakereject, 4 arrival retracted, 8 ambiguous line,
                                        -- 32 re-injected by a scanner as another message, 64 re-injected, from
                                        -- a message that was not found yet
    completed      INTEGER,             -- Completed
    completed_ms   INTEGER,             -- fraction of that stamp
    completed_source INTEGER,           -- source.id of the Completed line
    queue_ms       INTEGER,             -- QT= of Completed, milliseconds, where logged
    frozen         INTEGER,             -- last time it was frozen
    thawed         INTEGER,             -- last time it was unfrozen
    removed        INTEGER,             -- removed or cancelled
    delayed        INTEGER NOT NULL,    -- 1: at least one deferral
    failed         INTEGER NOT NULL,    -- 1: at least one recipient failed
    remote         INTEGER NOT NULL     -- 1: at least one delivery to a host
) STRICT;
CREATE UNIQUE INDEX message_exim_id ON message (exim_id, server);
CREATE INDEX message_at ON message (at);
CREATE INDEX message_unjoined ON message (at) WHERE flags >= 32;

CREATE TABLE delivery (
    at           INTEGER NOT NULL,
    mark         INTEGER NOT NULL,
    ms           INTEGER,               -- fraction of the stamp, 0-999; NULL: none printed
    source       INTEGER NOT NULL,      -- source.id that brought it first
    message      INTEGER NOT NULL,      -- message.id
    kind         INTEGER NOT NULL,      -- string: delivered additional cutthrough deferred failed suppressed discarded handoff
    recipient    INTEGER,               -- address after routing, mailbox, pipe or file
    original     INTEGER,               -- address as the sender gave it; NULL: the same
    route        INTEGER,               -- route.id
    size         INTEGER,               -- S= of the delivery, octets
    cause        INTEGER,               -- cause.id
    own          TEXT,                  -- what stands at place 1 of the cause's wording
    deliver_ms   INTEGER,               -- DT=, milliseconds
    queue_ms     INTEGER,               -- QT=, milliseconds
    orphan       INTEGER,               -- 1: its message's arrival was not known when it was stored
    flags        INTEGER,               -- 8 ambiguous line, 16 stamped by syslog, maybe a second late
    PRIMARY KEY (at, mark)
) STRICT, WITHOUT ROWID;
CREATE INDEX delivery_orphan ON delivery (message) WHERE orphan = 1;

CREATE TABLE rejection (
    at           INTEGER NOT NULL,
    mark         INTEGER NOT NULL,
    ms           INTEGER,               -- fraction of the stamp
    source       INTEGER NOT NULL,      -- source.id that brought it first
    server       INTEGER NOT NULL,      -- server.id
    client       INTEGER,               -- client.id
    sender       INTEGER,
    recipient    INTEGER,
    message      TEXT,                  -- exim id, where the message had one
    cause        INTEGER NOT NULL,      -- cause.id
    own          TEXT,                  -- what stands at place 1 of the cause's wording
    flags        INTEGER,               -- 8 ambiguous line, 16 stamped by syslog, maybe a second late
    PRIMARY KEY (at, mark)
) STRICT, WITHOUT ROWID;

CREATE TABLE auth_failure (
    at      INTEGER NOT NULL,
    mark    INTEGER NOT NULL,
    ms      INTEGER,                    -- fraction of the stamp
    source  INTEGER NOT NULL,           -- source.id that brought it first
    server  INTEGER NOT NULL,           -- server.id
    service INTEGER NOT NULL,           -- string: smtp imap pop3 pop2
    user    INTEGER,                    -- who was tried, where the line says
    client  INTEGER,                    -- client.id
    method  INTEGER,                    -- string: authenticator or mechanism
    reason  INTEGER,                    -- string
    attempts INTEGER NOT NULL,          -- how many failures the line tells of
    flags   INTEGER,                    -- 8 ambiguous line, 16 stamped by syslog, maybe a second late
    PRIMARY KEY (at, mark)
) STRICT, WITHOUT ROWID;

CREATE TABLE session_line (
    at       INTEGER NOT NULL,
    mark     INTEGER NOT NULL,
    ms       INTEGER,                   -- fraction of the stamp
    source   INTEGER NOT NULL,          -- source.id that brought it first
    server   INTEGER NOT NULL,          -- server.id
    service  INTEGER NOT NULL,          -- string: imap pop3 pop2
    kind     INTEGER NOT NULL,          -- 1 opened, 2 login, 3 transfer or update, 4 end: half-events, paired when read
    pid      INTEGER,                   -- of the daemon: with the time, what pairs them
    user     INTEGER,
    host     INTEGER,
    ip       INTEGER,
    method   INTEGER,                   -- string: how the login was made
    outcome  INTEGER,                   -- string: how it ended
    messages INTEGER,                   -- nmsgs= in the mailbox
    deleted  INTEGER,                   -- ndel=, ndele=
    bytes    INTEGER,                   -- octets transferred
    fetched  INTEGER,                   -- retr=, body_count=: messages fetched; NULL: a line for each (kind 3), or not logged
    flags    INTEGER,                   -- 8 ambiguous line, 128 of vm-pop3d 1.1.7f-DA-2, 256 of vm-pop3d 1.1.6
    PRIMARY KEY (at, mark)
) STRICT, WITHOUT ROWID;

CREATE TABLE scan_line (
    at         INTEGER NOT NULL,
    mark       INTEGER NOT NULL,
    ms         INTEGER,                 -- fraction of the stamp
    source     INTEGER NOT NULL,        -- source.id that brought it first
    server     INTEGER NOT NULL,        -- server.id
    kind       INTEGER NOT NULL,        -- 1 start, 2 verdict (exact score), 3 result (rules, Message-ID)
    pid        INTEGER,                 -- of spamd's child: with the time, what pairs them
    user       INTEGER,                 -- whose rules were used
    message_id TEXT,                    -- without <>, as spamd wrote it
    resent_id  TEXT,
    is_spam    INTEGER,
    score      INTEGER,                 -- thousandths; of a result cut to whole points
    threshold  INTEGER,                 -- thousandths
    rules      INTEGER,                 -- string: comma separated
    scan_ms    INTEGER,                 -- milliseconds
    size       INTEGER,                 -- octets
    autolearn  INTEGER,                 -- string
    PRIMARY KEY (at, mark)
) STRICT, WITHOUT ROWID;

CREATE TABLE event (
    at      INTEGER NOT NULL,
    mark    INTEGER NOT NULL,
    ms      INTEGER,                    -- fraction of the stamp
    source  INTEGER NOT NULL,           -- source.id that brought it first
    server  INTEGER NOT NULL,           -- server.id
    kind    INTEGER NOT NULL,           -- string: connection queue_run host_error frozen ...
    message TEXT,                       -- exim id, where the line names one
    client  INTEGER,                    -- client.id
    user    INTEGER,
    sender  INTEGER,
    recipient INTEGER,                  -- whom the line is about
    text    INTEGER,                    -- what no column holds; string: as a wording
    own     TEXT,                       -- what stands at the wording's place 1
    flags   INTEGER,                    -- 8 ambiguous line, 16 stamped by syslog, maybe a second late
    PRIMARY KEY (at, mark)
) STRICT, WITHOUT ROWID;

CREATE TABLE unparsed_line (
    at       INTEGER NOT NULL,          -- its stamp, or that of the line before
    mark     INTEGER NOT NULL,
    source   INTEGER NOT NULL,          -- source.id that brought it first
    server   INTEGER NOT NULL,          -- server.id
    line     INTEGER NOT NULL,          -- number in its source, from 1
    dialect  TEXT NOT NULL,             -- who should have understood it; '' when no stamp was found
    fault_at INTEGER,                   -- offset of the byte that stopped the parser; NULL: unknown wording
    size     INTEGER NOT NULL,          -- octets of the whole line
    text     TEXT NOT NULL,             -- its first 4096 octets, control bytes as #ooo
    PRIMARY KEY (at, mark)
) STRICT, WITHOUT ROWID;

CREATE TABLE measure (
    id    INTEGER PRIMARY KEY,
    name  TEXT NOT NULL UNIQUE,         -- what sums of this number count
    keyed TEXT NOT NULL,                -- 'slot', 'key': rollup_one by slot or string; 'keys': rollup_many
    help  TEXT NOT NULL                 -- and what their keys are
) STRICT;

CREATE TABLE rollup_bucket (            -- what a day's sums of one measure hang on
    id      INTEGER PRIMARY KEY,
    measure INTEGER NOT NULL,           -- measure.id
    day     INTEGER NOT NULL,           -- the server's local day, days since 1970-01-01
    server  INTEGER NOT NULL,           -- server.id
    UNIQUE (measure, day, server)
) STRICT;

CREATE TABLE rollup_one (
    bucket    INTEGER NOT NULL,         -- rollup_bucket.id
    key       INTEGER NOT NULL,         -- string.id, 0: none or local; or local hour 0-23, or bin of queue time 0-9
    count     INTEGER NOT NULL,         -- messages, deliveries or lines
    addresses INTEGER NOT NULL,         -- recipients: deliveries and additional addresses
    bytes     INTEGER NOT NULL,         -- octets, by the size of the message
    PRIMARY KEY (bucket, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE rollup_many (
    bucket    INTEGER NOT NULL,         -- rollup_bucket.id
    key1      INTEGER NOT NULL,         -- string.id, 0: none or local
    key2      INTEGER NOT NULL,         -- string.id or 0
    key3      INTEGER NOT NULL,         -- string.id or 0
    key4      INTEGER NOT NULL,         -- string.id or 0
    count     INTEGER NOT NULL,         -- messages, deliveries or lines
    addresses INTEGER NOT NULL,         -- recipients
    bytes     INTEGER NOT NULL,         -- octets, by the size of the message
    PRIMARY KEY (bucket, key1, key2, key3, key4)
) STRICT, WITHOUT ROWID;

INSERT INTO measure (id, name, keyed, help) VALUES
    (1,  'received', 'slot', 'messages with their arrival, by hour received; copies re-injected by a scanner and retracted ones apart'),
    (2,  'received_host', 'key', 'the same; key1 sending host: verified name, else IP, 0 local'),
    (3,  'received_email', 'key', 'the same; key1 envelope sender'),
    (4,  'received_user', 'key', 'the same, submitted locally; key1 local user'),
    (5,  'delayed', 'key', 'messages of measure 1 with at least one deferral, by day received'),
    (6,  'failed', 'key', 'messages of measure 1 with at least one failed recipient, by day received'),
    (7,  'copied', 'slot', 'arrivals of copies re-injected by a scanner, by hour received'),
    (8,  'delivered', 'slot', 'deliveries (delivered, cutthrough; addresses with additional), by hour; bytes of the message'),
    (9,  'delivered_transport', 'key', 'the same; key1 transport'),
    (10, 'delivered_host', 'key', 'the same; key1 host delivered to: name, else IP, 0 local'),
    (11, 'delivered_email', 'key', 'the same; key1 recipient after routing'),
    (12, 'delivered_user', 'key', 'the same, local only; key1 recipient after routing'),
    (13, 'delivery_kind', 'key', 'delivery lines; key1 kind'),
    (14, 'relayed', 'keys', 'delivered to a host, received from a host without authentication, recipient not rewritten; key1 from host, key2 sender, key3 to host, key4 recipient'),
    (15, 'rejected', 'keys', 'permanent rejections; key1 stage, key2 reason, key3 class'),
    (16, 'deferred_client', 'keys', 'temporary rejections; key1 stage, key2 reason, key3 class'),
    (17, 'rejected_host', 'key', 'permanent rejections; key1 host: verified name, else IP, 0 none'),
    (18, 'deferred_client_host', 'key', 'temporary rejections; key1 host: verified name, else IP, 0 none'),
    (19, 'queue_all', 'slot', 'completed messages, by day completed; slot bin of time on queue: under 1m 5m 15m 30m 1h 3h 6h 12h 1d, over'),
    (20, 'queue_remote', 'slot', 'the same, messages with at least one delivery to a host'),
    (21, 'error', 'keys', 'failed deliveries; key1 recipient, key2 host, key3 reason, key4 class'),
    (22, 'auth_failure_host', 'keys', 'failed authentications; key1 service, key2 host: verified name, else IP, 0 none'),
    (23, 'auth_failure_user', 'keys', 'failed authentications; key1 service, key2 user, 0 none');
