-- rollup.sql — what every measure of rollup is, said once in SQL: the rows that facts of :since <= at < :until
-- come to go into temp.rollup_built, which the caller has made with rollup's columns and key.  :server NULL: all.
-- Each row counts by its own deciding time: arrivals when received, events when they happened, the queue
-- when completed.  Ingest keeps the same sums row by row; tests compare the two.
-- Each fact's local day and hour are worked out once, into a scratch table, then summed in several ways.

DROP TABLE IF EXISTS temp.built_message;
DROP TABLE IF EXISTS temp.built_queue;
DROP TABLE IF EXISTS temp.built_delivery;
DROP TABLE IF EXISTS temp.built_rejection;
DROP TABLE IF EXISTS temp.built_auth_failure;

-- Arrivals, retracted ones apart.
CREATE TEMP TABLE built_message AS
SELECT server, local / 86400 AS day, local % 86400 / 3600 AS hour, copy, host, remote, sender,
       local_user, delayed, failed, bytes
  FROM (SELECT m.server                              AS server,
               m.received + coalesce((SELECT z.utc_offset FROM zone_offset z
                                       WHERE z.server = m.server AND z.since <= m.received
                                       ORDER BY z.since DESC LIMIT 1), 0) AS local,
               m.copy_of IS NOT NULL                 AS copy,
               coalesce(c.host, c.ip, 0)             AS host,
               coalesce(c.host, c.ip) IS NOT NULL    AS remote,
               coalesce(m.sender, 0)                 AS sender,
               coalesce(m.local_user, 0)             AS local_user,
               m.delayed                             AS delayed,
               m.failed                              AS failed,
               coalesce(m.size, 0)                   AS bytes
          FROM message m
          LEFT JOIN client c ON c.id = m.client
         WHERE m.at >= :since AND m.at < :until         -- at is received wherever there is one
           AND m.received >= :since AND m.received < :until
           AND m.flags & 4 = 0
           AND (:server IS NULL OR m.server = :server));

INSERT INTO temp.rollup_built                           -- received
SELECT 1, day, server, hour, 0, 0, 0, 0, count(*), 0, sum(bytes)
  FROM temp.built_message WHERE NOT copy GROUP BY day, server, hour;

INSERT INTO temp.rollup_built                           -- received_host
SELECT 2, day, server, 0, host, 0, 0, 0, count(*), 0, sum(bytes)
  FROM temp.built_message WHERE NOT copy GROUP BY day, server, host;

INSERT INTO temp.rollup_built                           -- received_email
SELECT 3, day, server, 0, sender, 0, 0, 0, count(*), 0, sum(bytes)
  FROM temp.built_message WHERE NOT copy GROUP BY day, server, sender;

INSERT INTO temp.rollup_built                           -- received_user
SELECT 4, day, server, 0, local_user, 0, 0, 0, count(*), 0, sum(bytes)
  FROM temp.built_message WHERE NOT copy AND NOT remote GROUP BY day, server, local_user;

INSERT INTO temp.rollup_built                           -- delayed
SELECT 5, day, server, 0, 0, 0, 0, 0, count(*), 0, 0
  FROM temp.built_message WHERE NOT copy AND delayed GROUP BY day, server;

INSERT INTO temp.rollup_built                           -- failed
SELECT 6, day, server, 0, 0, 0, 0, 0, count(*), 0, 0
  FROM temp.built_message WHERE NOT copy AND failed GROUP BY day, server;

INSERT INTO temp.rollup_built                           -- copied
SELECT 7, day, server, hour, 0, 0, 0, 0, count(*), 0, sum(bytes)
  FROM temp.built_message WHERE copy GROUP BY day, server, hour;

-- Deliveries; what: 1 delivered or cutthrough, 2 additional, 3 failed, 0 another kind.  relayed_from: the
-- host that a relayed message came from; NULL: not relayed.
CREATE TEMP TABLE built_delivery AS
SELECT server, local / 86400 AS day, local % 86400 / 3600 AS hour, kind, what, transport, host, remote,
       recipient, reason, reason_class, bytes, sender,
       iif(what = 1 AND remote AND unchanged, came_from, NULL) AS relayed_from
  FROM (SELECT m.server                              AS server,
               d.at + coalesce((SELECT z.utc_offset FROM zone_offset z
                                 WHERE z.server = m.server AND z.since <= d.at
                                 ORDER BY z.since DESC LIMIT 1), 0) AS local,
               d.kind                                AS kind,
               CASE k.text WHEN 'delivered' THEN 1 WHEN 'cutthrough' THEN 1
                           WHEN 'additional' THEN 2 WHEN 'failed' THEN 3 ELSE 0 END AS what,
               coalesce(w.transport, 0)              AS transport,
               coalesce(w.host, w.ip, 0)             AS host,
               coalesce(w.host, w.ip) IS NOT NULL    AS remote,
               coalesce(d.recipient, 0)              AS recipient,
               coalesce(why.reason, 0)               AS reason,
               coalesce(why.reason_class, 0)         AS reason_class,
               coalesce(m.size, 0)                   AS bytes,
               coalesce(m.sender, 0)                 AS sender,
               iif(m.auth IS NULL, coalesce(c.host, c.ip), NULL) AS came_from,  -- submission is not relaying
               d.original IS NULL OR d.original = d.recipient
                   OR (SELECT lower(text) FROM string WHERE id = d.original)
                    = (SELECT lower(text) FROM string WHERE id = d.recipient) AS unchanged
          FROM delivery d
          JOIN message m ON m.id = d.message
          JOIN string k  ON k.id = d.kind
          LEFT JOIN route w   ON w.id = d.route
          LEFT JOIN cause why ON why.id = d.cause
          LEFT JOIN client c  ON c.id = m.client
         WHERE d.at >= :since AND d.at < :until
           AND (:server IS NULL OR m.server = :server));

INSERT INTO temp.rollup_built                           -- delivered
SELECT 8, day, server, hour, 0, 0, 0, 0, sum(what = 1), count(*), sum(iif(what = 1, bytes, 0))
  FROM temp.built_delivery WHERE what IN (1, 2) GROUP BY day, server, hour;

INSERT INTO temp.rollup_built                           -- delivered_transport
SELECT 9, day, server, 0, transport, 0, 0, 0, sum(what = 1), count(*), sum(iif(what = 1, bytes, 0))
  FROM temp.built_delivery WHERE what IN (1, 2) GROUP BY day, server, transport;

INSERT INTO temp.rollup_built                           -- delivered_host
SELECT 10, day, server, 0, host, 0, 0, 0, sum(what = 1), count(*), sum(iif(what = 1, bytes, 0))
  FROM temp.built_delivery WHERE what IN (1, 2) GROUP BY day, server, host;

INSERT INTO temp.rollup_built                           -- delivered_email
SELECT 11, day, server, 0, recipient, 0, 0, 0, sum(what = 1), count(*), sum(iif(what = 1, bytes, 0))
  FROM temp.built_delivery WHERE what IN (1, 2) GROUP BY day, server, recipient;

INSERT INTO temp.rollup_built                           -- delivered_user
SELECT 12, day, server, 0, recipient, 0, 0, 0, sum(what = 1), count(*), sum(iif(what = 1, bytes, 0))
  FROM temp.built_delivery WHERE what IN (1, 2) AND NOT remote GROUP BY day, server, recipient;

INSERT INTO temp.rollup_built                           -- delivery_kind
SELECT 13, day, server, 0, kind, 0, 0, 0, count(*), 0, 0
  FROM temp.built_delivery GROUP BY day, server, kind;

INSERT INTO temp.rollup_built                           -- relayed
SELECT 14, day, server, 0, relayed_from, sender, host, recipient, count(*), count(*), sum(bytes)
  FROM temp.built_delivery WHERE relayed_from IS NOT NULL
 GROUP BY day, server, relayed_from, sender, host, recipient;

INSERT INTO temp.rollup_built                           -- error
SELECT 21, day, server, 0, recipient, host, reason, reason_class, count(*), 0, 0
  FROM temp.built_delivery WHERE what = 3
 GROUP BY day, server, recipient, host, reason, reason_class;

CREATE TEMP TABLE built_rejection AS
SELECT server, local / 86400 AS day, temporary, stage, reason, reason_class, host
  FROM (SELECT r.server                              AS server,
               r.at + coalesce((SELECT z.utc_offset FROM zone_offset z
                                 WHERE z.server = r.server AND z.since <= r.at
                                 ORDER BY z.since DESC LIMIT 1), 0) AS local,
               w.temporary                           AS temporary,
               w.stage                               AS stage,
               coalesce(w.reason, 0)                 AS reason,
               coalesce(w.reason_class, 0)           AS reason_class,
               coalesce(c.host, c.ip, 0)             AS host
          FROM rejection r
          JOIN cause w       ON w.id = r.cause
          LEFT JOIN client c ON c.id = r.client
         WHERE r.at >= :since AND r.at < :until
           AND (:server IS NULL OR r.server = :server));

INSERT INTO temp.rollup_built                           -- rejected, deferred_client
SELECT 15 + temporary, day, server, 0, stage, reason, reason_class, 0, count(*), 0, 0
  FROM temp.built_rejection GROUP BY temporary, day, server, stage, reason, reason_class;

INSERT INTO temp.rollup_built                           -- rejected_host, deferred_client_host
SELECT 17 + temporary, day, server, 0, host, 0, 0, 0, count(*), 0, 0
  FROM temp.built_rejection GROUP BY temporary, day, server, host;

-- Time on queue in whole seconds; without the arrival, from the second that the id holds: its first six
-- characters, base 62.  A clock set back gives less than nothing: the first bin.
CREATE TEMP TABLE built_queue AS
WITH base (digits) AS (VALUES ('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz')),
done AS (
    SELECT m.server                                  AS server,
           m.completed + coalesce((SELECT z.utc_offset FROM zone_offset z
                                    WHERE z.server = m.server AND z.since <= m.completed
                                    ORDER BY z.since DESC LIMIT 1), 0) AS local,
           m.completed - coalesce(m.received,
               ((((((instr(digits, substr(exim_id, 1, 1)) - 1) * 62
                   + instr(digits, substr(exim_id, 2, 1)) - 1) * 62
                   + instr(digits, substr(exim_id, 3, 1)) - 1) * 62
                   + instr(digits, substr(exim_id, 4, 1)) - 1) * 62
                   + instr(digits, substr(exim_id, 5, 1)) - 1) * 62
                   + instr(digits, substr(exim_id, 6, 1)) - 1)) AS seconds,
           m.remote                                  AS remote
      FROM message m, base
     WHERE m.completed >= :since AND m.completed < :until
       AND m.flags & 4 = 0
       AND (:server IS NULL OR m.server = :server))
SELECT server, local / 86400 AS day, remote,
       CASE WHEN seconds < 60    THEN 0 WHEN seconds < 300   THEN 1 WHEN seconds < 900   THEN 2
            WHEN seconds < 1800  THEN 3 WHEN seconds < 3600  THEN 4 WHEN seconds < 10800 THEN 5
            WHEN seconds < 21600 THEN 6 WHEN seconds < 43200 THEN 7 WHEN seconds < 86400 THEN 8
            ELSE 9 END AS bin
  FROM done;

INSERT INTO temp.rollup_built                           -- queue_all
SELECT 19, day, server, bin, 0, 0, 0, 0, count(*), 0, 0
  FROM temp.built_queue GROUP BY day, server, bin;

INSERT INTO temp.rollup_built                           -- queue_remote
SELECT 20, day, server, bin, 0, 0, 0, 0, count(*), 0, 0
  FROM temp.built_queue WHERE remote GROUP BY day, server, bin;

CREATE TEMP TABLE built_auth_failure AS
SELECT server, local / 86400 AS day, service, host, user, attempts
  FROM (SELECT a.server                              AS server,
               a.at + coalesce((SELECT z.utc_offset FROM zone_offset z
                                 WHERE z.server = a.server AND z.since <= a.at
                                 ORDER BY z.since DESC LIMIT 1), 0) AS local,
               a.service                             AS service,
               coalesce(c.host, c.ip, 0)             AS host,
               coalesce(a.user, 0)                   AS user,
               a.attempts                            AS attempts
          FROM auth_failure a
          LEFT JOIN client c ON c.id = a.client
         WHERE a.at >= :since AND a.at < :until
           AND (:server IS NULL OR a.server = :server));

INSERT INTO temp.rollup_built                           -- auth_failure_host
SELECT 22, day, server, 0, service, host, 0, 0, sum(attempts), 0, 0
  FROM temp.built_auth_failure GROUP BY day, server, service, host;

INSERT INTO temp.rollup_built                           -- auth_failure_user
SELECT 23, day, server, 0, service, user, 0, 0, sum(attempts), 0, 0
  FROM temp.built_auth_failure GROUP BY day, server, service, user;

DROP TABLE temp.built_message;
DROP TABLE temp.built_queue;
DROP TABLE temp.built_delivery;
DROP TABLE temp.built_rejection;
DROP TABLE temp.built_auth_failure;
