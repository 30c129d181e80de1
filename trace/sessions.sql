-- The first :most sessions in which a mailbox was opened from :from until :until; NULL as :server: on any.  :users is a JSON array of
-- numbers of strings, the names that it may have in the lines, NULL: any; one without a domain is its local part alone.  :namesakes: how many domains have a
-- mailbox of that name, 0: that was not asked.  A login's end is the next one of its process, or of its user where
-- no process is told.  128: of a daemon that logs each message fetched, so that none is 0.
WITH login AS MATERIALIZED (
  SELECT l.*
    FROM session_line l
   WHERE l.at >= :from AND l.at < :until AND l.kind = 2
     AND (:server IS NULL OR l.server = (SELECT id FROM server WHERE name = :server))
     AND (:users IS NULL OR l.user IN (SELECT value FROM json_each(:users)))
   ORDER BY l.at, l.mark
   LIMIT :most),
ended AS (
  SELECT l.at, l.mark,
         (SELECT min(e.at) FROM session_line e
           WHERE e.at BETWEEN l.at AND l.at + 86400 AND e.server = l.server AND e.service = l.service
             AND e.pid IS l.pid AND (l.pid IS NOT NULL OR e.user = l.user) AND e.kind = 4) AS end_at
    FROM login l)
SELECT l.at,
       datetime(l.at + (SELECT z.utc_offset FROM zone_offset z
                         WHERE z.server = l.server AND z.since <= l.at
                         ORDER BY z.since DESC LIMIT 1), 'unixepoch') AS time,
       service.text AS service, user.text AS user,
       iif(instr(:mailbox, '@') AND NOT instr(user.text, '@'), 'local part', :told) AS joined_by,
       iif(:told = 'address' AND instr(user.text, '@'), NULL, nullif(:namesakes, 0)) AS namesakes, :mailbox AS mailbox,
       host.text AS host, ip.text AS ip, e.end_at,
       max(s.messages) AS messages, max(s.deleted) AS deleted,
       coalesce(sum(s.fetched), nullif(count(s.bytes) FILTER (WHERE s.kind = 3), 0),
                iif(max(coalesce(s.flags, 0) & 128), 0, NULL)) AS taken,
       coalesce(sum(s.bytes), iif(max(coalesce(s.flags, 0) & 128), 0, NULL)) AS bytes, max(outcome.text) AS outcome,
       0 AS more, v.name AS server
  FROM login l
  JOIN server v ON v.id = l.server
  JOIN ended e ON e.at = l.at AND e.mark = l.mark
  JOIN string service ON service.id = l.service
  JOIN string user ON user.id = l.user
  LEFT JOIN session_line s ON s.at BETWEEN l.at AND coalesce(e.end_at, l.at) AND s.server = l.server
                          AND s.service = l.service AND s.pid IS l.pid AND (l.pid IS NOT NULL OR s.user = l.user)
  LEFT JOIN string outcome ON outcome.id = s.outcome
  LEFT JOIN string host ON host.id = l.host
  LEFT JOIN string ip ON ip.id = coalesce(l.ip, (
       SELECT o.ip FROM session_line o
        WHERE o.at BETWEEN l.at - 600 AND l.at AND o.server = l.server AND o.service = l.service
          AND o.pid IS l.pid AND o.kind = 1 ORDER BY o.at DESC LIMIT 1))
 GROUP BY l.at, l.mark
 ORDER BY l.at, l.mark
