-- report:  sessions-by-host
-- section: logins 40
-- title:   Top {host} by IMAP and POP sessions
-- help:    Hosts that opened mailboxes: verified name, else IP: sessions, and what they fetched and deleted where the daemon says.
-- layout:  league
-- once:    sessions
-- empty:   hide
-- absent:  not logged
-- column:  sessions  count  Sessions
-- column:  fetched   count  Fetched
-- column:  deleted   count  Deleted
-- column:  bytes     bytes  Bytes
-- column:  service   text   Service
-- column:  host      text   Host
SELECT count(*)                    AS sessions,
       sum(transfers)              AS fetched,
       sum(deleted)                AS deleted,
       sum(bytes)                  AS bytes,
       service                     AS service,
       coalesce(host, ip, 'unknown') AS host
  FROM sessions
 WHERE login IS NOT NULL
   AND at >= coalesce(:since, -9e18)
   AND at <  coalesce(:until, 9e18)
   AND (:server IS NULL OR server = :server)
 GROUP BY 5, 6
 ORDER BY sessions DESC, 6, service
 LIMIT coalesce(:top, 50);
