-- report:  sessions-by-host
-- section: logins 40
-- title:   Top {host} by IMAP and POP sessions
-- help:    Hosts that opened mailboxes: verified name, else IP: sessions, and what they fetched and deleted where the daemon says; >= where some of its sessions' daemons do not.
-- layout:  league
-- once:    sessions
-- empty:   hide
-- absent:  not logged
-- column:  sessions      count  Sessions
-- column:  fetched       count  Fetched
-- column:  fetched_told  told   Sessions that tell fetched
-- column:  deleted       count  Deleted
-- column:  deleted_told  told   Sessions that tell deleted
-- column:  bytes         bytes  Bytes
-- column:  bytes_told    told   Sessions that tell bytes
-- column:  service       text   Service
-- column:  host          text   Host
SELECT count(*)                    AS sessions,
       sum(transfers)              AS fetched,
       count(transfers)            AS fetched_told,
       sum(deleted)                AS deleted,
       count(deleted)              AS deleted_told,
       sum(bytes)                  AS bytes,
       count(bytes)                AS bytes_told,
       service                     AS service,
       coalesce(host, ip, 'unknown') AS host
  FROM sessions
 WHERE login IS NOT NULL
   AND at >= coalesce(:since, -9e18)
   AND at <  coalesce(:until, 9e18)
   AND (:server IS NULL OR server = :server)
 GROUP BY 8, 9
 ORDER BY sessions DESC, 9, service
 LIMIT coalesce(:top, 50);
