-- report:  failed-logins
-- section: logins 20
-- title:   Top {user} by failed logins
-- help:    Names under which logins failed.
-- layout:  league
-- once:    sessions
-- details: the list of software that does not log them
-- empty:   hide
-- absent:  not logged
-- column:  failures  count  Failures
-- column:  service   text   Service
-- column:  user      text   User
WITH t AS (
    SELECT key1 AS service, key2 AS user, sum(count) AS failures
      FROM tally
     WHERE measure = 'auth_failure_user' AND key2 <> 0
     GROUP BY key1, key2
     ORDER BY failures DESC)
SELECT failures, service, user FROM (
    SELECT t.failures                 AS failures,
           coalesce(service.text, '') AS service,
           coalesce(user.text, '')    AS user
      FROM t
      LEFT JOIN string service ON service.id = t.service
      LEFT JOIN string user    ON user.id = t.user
     WHERE t.failures > 0
     ORDER BY failures DESC, user, service
     LIMIT coalesce(:top, 50))
UNION ALL
SELECT DISTINCT NULL, 'pop3', 'vm-pop3d 1.1.6 on ' || server
  FROM sessions
 WHERE version = '1.1.6'
   AND at >= coalesce(:since, -9e18)
   AND at <  coalesce(:until, 9e18)
   AND (:server IS NULL OR server = :server)
 ORDER BY failures DESC, user, service;
