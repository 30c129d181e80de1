-- report:  auth-failures
-- section: logins 10
-- title:   Top {host} by authentication failures
-- help:    Hosts whose logins to SMTP, IMAP or POP failed.
-- layout:  league
-- empty:   hide
-- column:  failures  count  Failures
-- column:  service   text   Service
-- column:  host      text   Host
WITH t AS (
    SELECT key1 AS service, key2 AS host, sum(count) AS failures
      FROM tally
     WHERE measure = 'auth_failure_host'
     GROUP BY key1, key2
     ORDER BY failures DESC)
SELECT t.failures                    AS failures,
       coalesce(service.text, '')    AS service,
       coalesce(host.text, 'unknown') AS host
  FROM t
  LEFT JOIN string service ON service.id = t.service
  LEFT JOIN string host    ON host.id = t.host
 WHERE t.failures > 0
 ORDER BY failures DESC, host, service
 LIMIT coalesce(:top, 50);
