-- report:  failed-logins
-- section: logins 20
-- title:   Top {user} by failed logins
-- help:    Names under which logins failed, and from how many hosts.
-- layout:  league
-- empty:   hide
-- column:  failures  count  Failures
-- column:  hosts     count  Hosts
-- column:  service   text   Service
-- column:  user      text   User
WITH t AS (
    SELECT key1 AS service, key3 AS user, sum(count) AS failures,
           count(DISTINCT nullif(key2, 0)) AS hosts
      FROM tally
     WHERE measure = 'auth_failure'
       AND key3 <> 0
     GROUP BY key1, key3)
SELECT t.failures                 AS failures,
       t.hosts                    AS hosts,
       coalesce(service.text, '') AS service,
       coalesce(user.text, '')    AS user
  FROM t
  LEFT JOIN string service ON service.id = t.service
  LEFT JOIN string user    ON user.id = t.user
 WHERE t.failures > 0
 ORDER BY failures DESC, user, service
 LIMIT coalesce(:top, 50);
