-- Who logged in from :from until :until, of those whose local part is one of :names (a JSON array, in small letters), and, if
-- that is given, whose number as a string is one of :users (a JSON array).
WITH login AS (
  SELECT DISTINCT user
    FROM session_line
   WHERE at >= :from AND at < :until AND kind = 2 AND server = (SELECT id FROM server WHERE name = :server)
     AND (:users IS NULL OR user IN (SELECT value FROM json_each(:users)))),
named AS (
  SELECT u.id, lower(u.text) AS text, instr(u.text || '@', '@') AS place FROM login l JOIN string u ON u.id = l.user)
SELECT id, substr(text, 1, place - 1) AS name, nullif(substr(text, place + 1), '') AS domain
  FROM named
 WHERE name IN (SELECT value FROM json_each(:names))
 ORDER BY text, id
