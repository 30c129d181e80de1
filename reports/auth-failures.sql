-- report:  auth-failures
-- section: logins 10
-- title:   Top {host} by authentication failures
-- help:    Hosts whose logins to SMTP, IMAP or POP failed, and how many names they tried.
-- layout:  league
-- empty:   hide
-- column:  failures  count  Failures
-- column:  users     count  Users
-- column:  service   text   Service
-- column:  host      text   Host
WITH t AS (
    SELECT key1 AS service, key2 AS host, sum(count) AS failures,
           count(DISTINCT nullif(key3, 0)) AS users
      FROM tally
     WHERE measure = 'auth_failure'
     GROUP BY key1, key2)
SELECT t.failures                    AS failures,
       t.users                       AS users,
       coalesce(service.text, '')    AS service,
       coalesce(host.text, 'unknown') AS host
  FROM t
  LEFT JOIN string service ON service.id = t.service
  LEFT JOIN string host    ON host.id = t.host
 WHERE t.failures > 0
 ORDER BY failures DESC, host, service
 LIMIT coalesce(:top, 50);
