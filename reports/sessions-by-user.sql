-- report:  sessions-by-user
-- section: logins 30
-- title:   Top {user} by IMAP and POP sessions
-- help:    Mailbox users: sessions, and what they fetched and deleted where the daemon says.
-- layout:  league
-- once:    sessions
-- empty:   hide
-- absent:  not logged
-- column:  sessions  count  Sessions
-- column:  fetched   count  Fetched
-- column:  deleted   count  Deleted
-- column:  bytes     bytes  Bytes
-- column:  service   text   Service
-- column:  user      text   User
SELECT count(*)                    AS sessions,
       sum(transfers)              AS fetched,
       sum(deleted)                AS deleted,
       sum(bytes)                  AS bytes,
       service                     AS service,
       coalesce(user, 'unknown') AS user
  FROM sessions
 WHERE login IS NOT NULL
   AND at >= coalesce(:since, -9e18)
   AND at <  coalesce(:until, 9e18)
   AND (:server IS NULL OR server = :server)
 GROUP BY 5, 6
 ORDER BY sessions DESC, 6, service
 LIMIT coalesce(:top, 50);
