-- views.sql — what people and reports read.  Made anew whenever this file changes; stable names.
-- Every view has at (Unix seconds, to filter by), time (the server's local text, to read) and server.

CREATE VIEW messages AS
SELECT m.at                         AS at,              -- received, or the first line seen
       datetime(m.at + (SELECT z.utc_offset FROM zone_offset z
                         WHERE z.server = m.server AND z.since <= m.at
                         ORDER BY z.since DESC LIMIT 1), 'unixepoch') AS time,
       v.name                       AS server,
       m.exim_id                    AS exim_id,
       m.received                   AS received,        -- NULL: arrival never seen
       sender.text                  AS sender,          -- '' is the null sender <>
       sender_domain.text           AS sender_domain,
       host.text                    AS host,            -- verified name
       helo.text                    AS helo,
       ip.text                      AS ip,
       protocol.text                AS protocol,
       auth.text                    AS auth,            -- authenticator
       auth_id.text                 AS auth_id,
       local_user.text              AS local_user,      -- U=
       tls.text                     AS tls,
       m.size                       AS size,
       m.subject                    AS subject,
       m.message_id                 AS message_id,
       CASE m.recipients WHEN '[]' THEN 0
            ELSE (length(m.recipients) - length(replace(m.recipients, '","', ''))) / 3 + 1
       END                          AS recipients,      -- how many envelope recipients, where logged
       m.recipients                 AS recipient_list,  -- they themselves: a JSON array
       m.completed                  AS completed,
       CASE WHEN m.completed IS NULL THEN NULL
            WHEN m.queue_ms IS NOT NULL THEN m.queue_ms / 1000.0
            WHEN m.received IS NOT NULL
            THEN (m.completed - m.received)
                 + (coalesce(m.completed_ms, 0) - coalesce(m.received_ms, 0)) / 1000.0
       END                          AS queue_seconds,
       CASE WHEN m.flags & 4                       THEN 'retracted'
            WHEN m.received IS NULL                THEN 'arrival never seen'
            WHEN m.completed IS NOT NULL           THEN 'completed'
            WHEN m.frozen > coalesce(m.thawed, 0)  THEN 'frozen'
            ELSE 'queued' END       AS state,
       m.delayed                    AS delayed,         -- 1: at least one deferral
       m.failed                     AS failed,          -- 1: at least one failed recipient
       m.parent                     AS parent_exim_id,  -- the message this bounce is about
       m.copy_of                    AS copy_of,         -- the message a scanner re-injected as this one
       (m.flags & 9) <> 0           AS ambiguous,       -- several arrivals, or more than one reading
       (m.flags & 2) <> 0           AS fakereject       -- received, the client was told it was rejected
  FROM message m
  JOIN server v                   ON v.id = m.server
  LEFT JOIN string sender         ON sender.id = m.sender
  LEFT JOIN string sender_domain  ON sender_domain.id = sender.domain
  LEFT JOIN client c              ON c.id = m.client
  LEFT JOIN string host           ON host.id = c.host
  LEFT JOIN string helo           ON helo.id = c.helo
  LEFT JOIN string ip             ON ip.id = c.ip
  LEFT JOIN string protocol       ON protocol.id = m.protocol
  LEFT JOIN string auth           ON auth.id = m.auth
  LEFT JOIN string auth_id        ON auth_id.id = m.auth_id
  LEFT JOIN string local_user     ON local_user.id = m.local_user
  LEFT JOIN string tls            ON tls.id = m.tls;

CREATE VIEW deliveries AS
SELECT d.at                         AS at,
       datetime(d.at + (SELECT z.utc_offset FROM zone_offset z
                         WHERE z.server = m.server AND z.since <= d.at
                         ORDER BY z.since DESC LIMIT 1), 'unixepoch') AS time,
       v.name                       AS server,
       m.exim_id                    AS exim_id,
       kind.text                    AS kind,
       recipient.text               AS recipient,       -- after routing
       coalesce(original.text, recipient.text) AS original,
       coalesce(original_domain.text, recipient_domain.text) AS recipient_domain,
       router.text                  AS router,
       transport.text               AS transport,
       host.text                    AS host,
       ip.text                      AS ip,
       tls.text                     AS tls,
       coalesce(d.size, m.size)     AS size,
       replace(replace(replace(replace(response.text, char(2), coalesce(ip.text, '')),
               char(3), coalesce(host.text, '')), char(6), coalesce(recipient.text, '')),
               char(1), coalesce(d.own, '')) AS response,
       reason.text                  AS reason,
       reason_class.text            AS reason_class,
       coalesce(replace(replace(replace(replace(detail.text, char(2), coalesce(ip.text, '')),
               char(3), coalesce(host.text, '')), char(6), coalesce(recipient.text, '')),
               char(1), coalesce(d.own, '')), reason.text) AS detail,
       c.smtp_code                  AS smtp_code,       -- in the reason, or of the response
       enhanced_code.text           AS enhanced_code,
       c.error                      AS error,
       d.deliver_ms / 1000.0        AS delivery_seconds,
       CASE WHEN d.queue_ms IS NOT NULL THEN d.queue_ms / 1000.0
            ELSE d.at - m.received END AS queue_seconds,
       coalesce(d.flags & 8, 0) <> 0 AS ambiguous
  FROM delivery d
  JOIN message m                      ON m.id = d.message
  JOIN server v                       ON v.id = m.server
  JOIN string kind                    ON kind.id = d.kind
  LEFT JOIN string recipient          ON recipient.id = d.recipient
  LEFT JOIN string recipient_domain   ON recipient_domain.id = recipient.domain
  LEFT JOIN string original           ON original.id = d.original
  LEFT JOIN string original_domain    ON original_domain.id = original.domain
  LEFT JOIN route w                   ON w.id = d.route
  LEFT JOIN string router             ON router.id = w.router
  LEFT JOIN string transport          ON transport.id = w.transport
  LEFT JOIN string host               ON host.id = w.host
  LEFT JOIN string ip                 ON ip.id = w.ip
  LEFT JOIN string tls                ON tls.id = w.tls
  LEFT JOIN cause c                   ON c.id = d.cause
  LEFT JOIN string reason             ON reason.id = c.reason
  LEFT JOIN string reason_class       ON reason_class.id = c.reason_class
  LEFT JOIN string response           ON response.id = c.response
  LEFT JOIN string detail             ON detail.id = c.detail
  LEFT JOIN string enhanced_code      ON enhanced_code.id = c.enhanced_code;

CREATE VIEW rejections AS
SELECT r.at                         AS at,
       datetime(r.at + (SELECT z.utc_offset FROM zone_offset z
                         WHERE z.server = r.server AND z.since <= r.at
                         ORDER BY z.since DESC LIMIT 1), 'unixepoch') AS time,
       v.name                       AS server,
       stage.text                   AS stage,
       w.temporary                  AS temporary,
       host.text                    AS host,            -- verified name
       helo.text                    AS helo,
       ip.text                      AS ip,
       sender.text                  AS sender,
       recipient.text               AS recipient,
       reason.text                  AS reason,
       reason_class.text            AS reason_class,
       coalesce(replace(replace(replace(replace(replace(replace(detail.text, char(2), coalesce(ip.text, '')),
               char(3), coalesce(host.text, '')), char(4), coalesce(helo.text, '')),
               char(5), coalesce(sender.text, '')), char(6), coalesce(recipient.text, '')),
               char(1), coalesce(r.own, '')), reason.text) AS detail,
       w.smtp_code                  AS smtp_code,       -- in the reason
       enhanced_code.text           AS enhanced_code,
       r.message                    AS exim_id,
       coalesce(r.flags & 8, 0) <> 0 AS ambiguous
  FROM rejection r
  JOIN server v                 ON v.id = r.server
  JOIN cause w                  ON w.id = r.cause
  JOIN string stage             ON stage.id = w.stage
  LEFT JOIN client c            ON c.id = r.client
  LEFT JOIN string host         ON host.id = c.host
  LEFT JOIN string helo         ON helo.id = c.helo
  LEFT JOIN string ip           ON ip.id = c.ip
  LEFT JOIN string sender       ON sender.id = r.sender
  LEFT JOIN string recipient    ON recipient.id = r.recipient
  LEFT JOIN string reason       ON reason.id = w.reason
  LEFT JOIN string reason_class ON reason_class.id = w.reason_class
  LEFT JOIN string detail       ON detail.id = w.detail
  LEFT JOIN string enhanced_code ON enhanced_code.id = w.enhanced_code;

CREATE VIEW auth_failures AS
SELECT a.at                         AS at,
       datetime(a.at + (SELECT z.utc_offset FROM zone_offset z
                         WHERE z.server = a.server AND z.since <= a.at
                         ORDER BY z.since DESC LIMIT 1), 'unixepoch') AS time,
       v.name                       AS server,
       service.text                 AS service,         -- smtp imap pop3 pop2
       user.text                    AS user,            -- who was tried
       host.text                    AS host,
       helo.text                    AS helo,
       ip.text                      AS ip,
       method.text                  AS method,
       reason.text                  AS reason,
       a.attempts                   AS attempts,        -- failures that the line tells of, mostly 1
       coalesce(a.flags & 8, 0) <> 0 AS ambiguous
  FROM auth_failure a
  JOIN server v            ON v.id = a.server
  JOIN string service      ON service.id = a.service
  LEFT JOIN string user    ON user.id = a.user
  LEFT JOIN client c       ON c.id = a.client
  LEFT JOIN string host    ON host.id = c.host
  LEFT JOIN string helo    ON helo.id = c.helo
  LEFT JOIN string ip      ON ip.id = c.ip
  LEFT JOIN string method  ON method.id = a.method
  LEFT JOIN string reason  ON reason.id = a.reason;

CREATE VIEW events AS
SELECT e.at                         AS at,
       datetime(e.at + (SELECT z.utc_offset FROM zone_offset z
                         WHERE z.server = e.server AND z.since <= e.at
                         ORDER BY z.since DESC LIMIT 1), 'unixepoch') AS time,
       v.name                       AS server,
       kind.text                    AS kind,
       e.message                    AS exim_id,
       host.text                    AS host,
       ip.text                      AS ip,
       user.text                    AS user,
       sender.text                  AS sender,
       recipient.text               AS recipient,       -- whom the line is about
       replace(replace(replace(text.text, char(2), coalesce(ip.text, '')),
               char(3), coalesce(host.text, '')), char(1), coalesce(e.own, '')) AS text,
       coalesce(e.flags & 8, 0) <> 0 AS ambiguous
  FROM event e
  JOIN server v          ON v.id = e.server
  JOIN string kind       ON kind.id = e.kind
  LEFT JOIN client c     ON c.id = e.client
  LEFT JOIN string host  ON host.id = c.host
  LEFT JOIN string ip    ON ip.id = c.ip
  LEFT JOIN string user  ON user.id = e.user
  LEFT JOIN string sender ON sender.id = e.sender
  LEFT JOIN string recipient ON recipient.id = e.recipient
  LEFT JOIN string text  ON text.id = e.text;

CREATE VIEW unparsed AS
SELECT u.at                         AS at,
       datetime(u.at + (SELECT z.utc_offset FROM zone_offset z
                         WHERE z.server = u.server AND z.since <= u.at
                         ORDER BY z.since DESC LIMIT 1), 'unixepoch') AS time,
       v.name                       AS server,
       s.path                       AS path,
       u.line                       AS line,            -- number in its source, from 1
       u.dialect                    AS dialect,
       u.fault_at                   AS fault_at,        -- byte that stopped the parser; NULL: unknown wording
       u.size                       AS size,
       u.text                       AS text
  FROM unparsed_line u
  JOIN server v ON v.id = u.server
  JOIN source s ON s.id = u.source;

CREATE VIEW sources AS
SELECT s.id                         AS id,
       s.last_at                    AS at,
       datetime(s.last_at + (SELECT z.utc_offset FROM zone_offset z
                              WHERE z.server = s.server AND z.since <= s.last_at
                              ORDER BY z.since DESC LIMIT 1), 'unixepoch') AS time,
       v.name                       AS server,
       s.path                       AS path,
       s.position                   AS bytes,           -- octets read, uncompressed
       s.lines                      AS lines,
       (SELECT total(t.lines) FROM line_tally t
         WHERE t.source = s.id AND t.kind NOT IN ('blank', 'foreign', 'unparsed', 'damaged'))
                                    AS understood,
       (SELECT total(t.copies) FROM line_tally t WHERE t.source = s.id) AS copies,
       (SELECT total(t.lines) FROM line_tally t WHERE t.source = s.id AND t.kind = 'foreign')
                                    AS foreign_lines,
       (SELECT total(t.lines) FROM line_tally t
         WHERE t.source = s.id AND t.kind IN ('unparsed', 'damaged')) AS unparsed,
       (SELECT total(t.lines) FROM line_tally t WHERE t.source = s.id AND t.kind = 'blank')
                                    AS blank,
       s.first_at                   AS first_at,
       s.last_at                    AS last_at,
       s.longest_gap                AS longest_gap,     -- seconds
       s.gap_at                     AS gap_at,
       s.years                      AS years,
       s.damage                     AS damage,
       s.read_at                    AS read_at,
       s.archived                   AS archived,        -- 1: the lines are kept
       s.pruned_lines               AS pruned_lines,    -- but the first so many
       v.pruned_before              AS pruned_before    -- facts before this second are pruned; NULL: none
  FROM source s
  JOIN server v ON v.id = s.server;

-- Half-events of one daemon process, paired by server, service, pid (where none is told, by user) and time.  A login
-- opens a session; what follows under the same pid, up to its end, the next login or a day later, belongs to it.
-- Where only the opening line says who connected, its address is the session's.
CREATE VIEW sessions AS
WITH counted AS (
    SELECT *, CASE WHEN pid IS NULL THEN user END AS nobody,
              count(*) FILTER (WHERE kind = 1) OVER process AS open_no,
              max(at)  FILTER (WHERE kind = 2) OVER process AS login_at,
              count(*) FILTER (WHERE kind = 2) OVER process
              + count(*) FILTER (WHERE kind = 4) OVER (process ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
                                                            AS session_no
      FROM session_line
    WINDOW process AS (PARTITION BY server, service, pid, CASE WHEN pid IS NULL THEN user END
                       ORDER BY at, kind, mark)),
half AS (
    SELECT *, first_value(ip) OVER opened AS open_ip, first_value(at) OVER opened AS open_at,
              max(kind = 2) OVER (PARTITION BY server, service, pid, nobody, session_no) AS has_login
      FROM counted
    WINDOW opened AS (PARTITION BY server, service, pid, nobody, open_no ORDER BY at, kind, mark)),
paired AS (
    SELECT server, service,
           min(at) FILTER (WHERE kind = 2)     AS login,
           min(at) FILTER (WHERE kind = 4)     AS logout,
           min(at)                             AS at,
           max(user) FILTER (WHERE kind = 2)   AS login_user,
           max(user) FILTER (WHERE kind = 4)   AS end_user,
           max(host)                           AS host,
           coalesce(max(ip), max(open_ip) FILTER (WHERE open_no > 0 AND open_at >= at - 86400)) AS ip,
           max(method)                         AS method,
           max(outcome)                        AS outcome,
           max(messages)                       AS messages,
           max(deleted)                        AS deleted,
           sum(bytes)                          AS bytes,
           coalesce(sum(fetched), nullif(count(bytes) FILTER (WHERE kind = 3), 0)) AS transfers,
           max(coalesce(flags, 0) & 8)         AS flags,
           max(coalesce(flags, 0) & 128)       AS fetched_is_told,
           max(coalesce(flags, 0) & 256)       AS nothing_is_told
      FROM half
     WHERE kind > 1
       AND (NOT has_login OR at <= login_at + 86400)
     GROUP BY server, service, pid, nobody, session_no, CASE WHEN NOT has_login THEN mark END)
SELECT p.at                         AS at,
       datetime(p.at + (SELECT z.utc_offset FROM zone_offset z
                         WHERE z.server = p.server AND z.since <= p.at
                         ORDER BY z.since DESC LIMIT 1), 'unixepoch') AS time,
       v.name                       AS server,
       service.text                 AS service,         -- imap pop3 pop2
       user.text                    AS user,
       host.text                    AS host,
       ip.text                      AS ip,
       method.text                  AS method,
       p.login                      AS login,           -- NULL: nobody logged in, or login not seen
       p.logout                     AS logout,          -- NULL: end not seen
       outcome.text                 AS outcome,
       p.messages                   AS messages,        -- in the mailbox
       p.deleted                    AS deleted,
       iif(p.fetched_is_told, coalesce(p.transfers, 0), p.transfers) AS transfers, -- messages fetched; NULL: not logged
       iif(p.fetched_is_told, coalesce(p.bytes, 0), p.bytes) AS bytes, -- octets fetched; NULL: not logged
       CASE WHEN p.nothing_is_told THEN '1.1.6'
            WHEN p.fetched_is_told THEN '1.1.7f-DA-2' END AS version, -- of vm-pop3d, whose versions differ
       p.flags <> 0                 AS ambiguous
  FROM paired p
  JOIN server v             ON v.id = p.server
  JOIN string service       ON service.id = p.service
  LEFT JOIN string user     ON user.id = coalesce(p.login_user, p.end_user)
  LEFT JOIN string host     ON host.id = p.host
  LEFT JOIN string ip       ON ip.id = p.ip
  LEFT JOIN string method   ON method.id = p.method
  LEFT JOIN string outcome  ON outcome.id = p.outcome;

-- One row a scan: spamd's result line, with the exact score of its verdict line; verdicts without a
-- result line (spamd 2.x, or a line lost) stand alone.
CREATE VIEW scans AS
WITH verdict AS (SELECT * FROM scan_line WHERE kind = 2),
     result  AS (SELECT * FROM scan_line WHERE kind = 3),
whole AS (
    SELECT r.server, r.at, r.user, r.message_id, r.is_spam,
           coalesce((SELECT v.score FROM scan_line v
                      WHERE v.at BETWEEN r.at - 1 AND r.at AND v.kind = 2 AND v.server = r.server
                        AND v.pid IS r.pid AND v.size IS r.size AND v.scan_ms IS r.scan_ms
                      ORDER BY v.at DESC, v.mark LIMIT 1), r.score) AS score,
           r.threshold, r.rules, r.scan_ms, r.size, r.autolearn
      FROM result r
    UNION ALL
    SELECT v.server, v.at, v.user,
           (SELECT s.message_id FROM scan_line s
             WHERE s.at BETWEEN v.at - 600 AND v.at AND s.kind = 1 AND s.server = v.server
               AND s.pid IS v.pid ORDER BY s.at DESC, s.mark LIMIT 1),
           v.is_spam, v.score, v.threshold, v.rules, v.scan_ms, v.size, v.autolearn
      FROM verdict v
     WHERE NOT EXISTS (SELECT 1 FROM scan_line r
                        WHERE r.at BETWEEN v.at AND v.at + 1 AND r.kind = 3 AND r.server = v.server
                          AND r.pid IS v.pid AND r.size IS v.size AND r.scan_ms IS v.scan_ms))
SELECT w.at                         AS at,
       datetime(w.at + (SELECT z.utc_offset FROM zone_offset z
                         WHERE z.server = w.server AND z.since <= w.at
                         ORDER BY z.since DESC LIMIT 1), 'unixepoch') AS time,
       v.name                       AS server,
       w.message_id                 AS message_id,      -- without <>
       user.text                    AS user,
       w.is_spam                    AS is_spam,
       w.score / 1000.0             AS score,
       w.threshold / 1000.0         AS threshold,
       rules.text                   AS rules,           -- comma separated
       w.scan_ms / 1000.0           AS seconds,
       w.size                       AS size,
       autolearn.text               AS autolearn
  FROM whole w
  JOIN server v                ON v.id = w.server
  LEFT JOIN string user        ON user.id = w.user
  LEFT JOIN string rules       ON rules.id = w.rules
  LEFT JOIN string autolearn   ON autolearn.id = w.autolearn;

-- The sums, whichever of the two tables they stand in: slot is a local hour or a bin of queue time, keys are
-- string.id, 0 is none.
-- CROSS JOIN fixes the order: a measure, its days, their sums.
CREATE VIEW rollup AS
SELECT b.measure AS measure, b.day AS day, b.server AS server,
       iif(m.keyed = 'slot', r.key, 0) AS slot, iif(m.keyed = 'slot', 0, r.key) AS key1,
       0 AS key2, 0 AS key3, 0 AS key4,
       r.count AS count, r.addresses AS addresses, r.bytes AS bytes
  FROM measure m CROSS JOIN rollup_bucket b CROSS JOIN rollup_one r
 WHERE b.measure = m.id AND r.bucket = b.id
UNION ALL
SELECT b.measure AS measure, b.day AS day, b.server AS server, 0 AS slot,
       r.key1 AS key1, r.key2 AS key2, r.key3 AS key3, r.key4 AS key4,
       r.count AS count, r.addresses AS addresses, r.bytes AS bytes
  FROM rollup_bucket b CROSS JOIN rollup_many r
 WHERE r.bucket = b.id;

-- The rollups by name; `mailtrail report --since/--until` puts a view of the span wanted in front of this one.
CREATE VIEW tally AS
SELECT m.name                       AS measure,
       b.day * 86400                AS at,              -- the local day, as if it were UTC
       date(b.day * 86400, 'unixepoch') AS time,        -- the local day
       v.name                       AS server,
       iif(m.keyed = 'slot', r.key, 0) AS slot,         -- local hour, or bin of queue time
       iif(m.keyed = 'slot', 0, r.key) AS key1,         -- keys: string.id, 0: none
       0 AS key2, 0 AS key3, 0 AS key4,
       r.count                      AS count,
       r.addresses                  AS addresses,
       r.bytes                      AS bytes
  FROM measure m CROSS JOIN rollup_bucket b CROSS JOIN server v CROSS JOIN rollup_one r
 WHERE m.keyed <> 'keys' AND b.measure = m.id AND v.id = b.server AND r.bucket = b.id
UNION ALL
SELECT m.name                       AS measure,
       b.day * 86400                AS at,
       date(b.day * 86400, 'unixepoch') AS time,
       v.name                       AS server,
       0                            AS slot,
       r.key1 AS key1, r.key2 AS key2, r.key3 AS key3, r.key4 AS key4,
       r.count                      AS count,
       r.addresses                  AS addresses,
       r.bytes                      AS bytes
  FROM measure m CROSS JOIN rollup_bucket b CROSS JOIN server v CROSS JOIN rollup_many r
 WHERE m.keyed = 'keys' AND b.measure = m.id AND v.id = b.server AND r.bucket = b.id;

-- How many keys of a measure count anything; reports that ask by `names:` see it narrowed to their span.
CREATE VIEW tally_names AS
SELECT t.measure                    AS measure,
       count(*)                     AS names,           -- different keys
       count(DISTINCT coalesce(s.domain, t.key1)) AS domains, -- their domains; a key without one is its own
       count(DISTINCT coalesce(s.domain, iif(s.text = '', s.id, 0)))
                                    AS edomains         -- their domains; keys without one are one, the empty text apart
  FROM (SELECT measure, key1 FROM tally GROUP BY measure, key1 HAVING sum(count) > 0) t
  LEFT JOIN string s ON s.id = t.key1
 GROUP BY t.measure;

-- When a text occurs, however many days there are: a look into each day's bucket of its string, not over all.  Give a
-- text; without one it is a long list.
CREATE VIEW mentions AS
WITH RECURSIVE day (day) AS (
    SELECT min(place) >> 22 FROM mention
    UNION ALL
    SELECT (SELECT min(place) >> 22 FROM mention WHERE place >= (day + 1) * 4194304) FROM day WHERE day IS NOT NULL),
way (k, name) AS (VALUES (0, 'column'), (1, 'client'), (2, 'route'), (3, 'kin')),
hour (hour) AS (VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9), (10), (11), (12), (13), (14), (15), (16), (17),
                       (18), (19), (20), (21), (22), (23)),
eighth (eighth) AS (VALUES (0), (1), (2), (3), (4), (5), (6), (7)),
found AS (
    SELECT s.text, w.name, d.day,
           hex(substr(m.times, (instr(m.strings, CAST(char(64 + (s.id % 1024 * 4 + w.k) / 64, (s.id % 1024 * 4 + w.k) % 64)
                                                      AS BLOB)) - 1) / 2 * 4 + 1, 4)) AS bits
      FROM string s
      CROSS JOIN day d
      CROSS JOIN mention m
      CROSS JOIN way w
     WHERE m.place = d.day * 4194304 + s.id / 1024
       AND instr(m.strings, CAST(char(64 + (s.id % 1024 * 4 + w.k) / 64, (s.id % 1024 * 4 + w.k) % 64) AS BLOB)))
SELECT f.day * 86400 + h.hour * 3600 + e.eighth * 450
                                    AS at,              -- the first second of the 450 in which it occurs
       datetime(f.day * 86400 + h.hour * 3600 + e.eighth * 450, 'unixepoch')
                                    AS time,            -- the same, UTC
       f.day * 86400 + h.hour * 3600 + e.eighth * 450 + 450
                                    AS until,           -- the second behind them
       f.text                       AS text,
       f.name                       AS via,             -- column, client, route; kin: a text of which it is the domain or
                                                        -- the small letters
       f.day                        AS day              -- UTC, days since 1970-01-01
  FROM found f CROSS JOIN hour h CROSS JOIN eighth e
 WHERE (instr('0123456789ABCDEF', substr(f.bits, 8 - h.hour / 4, 1)) - 1) >> (h.hour % 4) & 1
   AND (instr('0123456789ABCDEF', substr(f.bits, 2 - e.eighth / 4, 1)) - 1) >> (e.eighth % 4) & 1;
