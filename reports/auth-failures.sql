-- report:  auth-failures
-- section: logins 10
-- title:   Top {host} by authentication failures
-- help:    Hosts whose logins to SMTP, IMAP or POP failed.
-- layout:  league
-- once:    sessions
-- details: the list of software that does not log them
-- empty:   hide
-- absent:  not logged
-- column:  failures  count  Failures
-- column:  service   text   Service
-- column:  host      text   Host
WITH t AS (
    SELECT key1 AS service, key2 AS host, sum(count) AS failures
      FROM tally
     WHERE measure = 'auth_failure_host'
     GROUP BY key1, key2
     ORDER BY failures DESC)
SELECT failures, service, host FROM (
    SELECT t.failures                    AS failures,
           coalesce(service.text, '')    AS service,
           coalesce(host.text, 'unknown') AS host
      FROM t
      LEFT JOIN string service ON service.id = t.service
      LEFT JOIN string host    ON host.id = t.host
     WHERE t.failures > 0
     ORDER BY failures DESC, host, service
     LIMIT coalesce(:top, 50))
UNION ALL
SELECT DISTINCT NULL, 'pop3', 'vm-pop3d 1.1.6 on ' || server
  FROM sessions
 WHERE version = '1.1.6'
   AND at >= coalesce(:since, -9e18)
   AND at <  coalesce(:until, 9e18)
   AND (:server IS NULL OR server = :server)
 ORDER BY failures DESC, host, service;
