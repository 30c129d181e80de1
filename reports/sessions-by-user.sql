-- report:  sessions-by-user
-- section: logins 30
-- title:   Top {user} by IMAP and POP sessions
-- help:    Mailbox users: sessions, and what they fetched and deleted where the daemon says; >= where some of its sessions' daemons do not.
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
-- column:  user          text   User
SELECT count(*)                    AS sessions,
       sum(transfers)              AS fetched,
       count(transfers)            AS fetched_told,
       sum(deleted)                AS deleted,
       count(deleted)              AS deleted_told,
       sum(bytes)                  AS bytes,
       count(bytes)                AS bytes_told,
       service                     AS service,
       coalesce(user, 'unknown') AS user
  FROM sessions
 WHERE login IS NOT NULL
   AND at >= coalesce(:since, -9e18)
   AND at <  coalesce(:until, 9e18)
   AND (:server IS NULL OR server = :server)
 GROUP BY 8, 9
 ORDER BY sessions DESC, 9, service
 LIMIT coalesce(:top, 50);
