-- Domains in which there is a mailbox of one of :names (a JSON array, in small letters): it was delivered to by an address of
-- its own from a week before :from until :until, or logged in to from :from on.
WITH delivered AS (
  SELECT DISTINCT kind, recipient, original FROM delivery
   WHERE at >= :from - 7 * 86400 AND at < :until
     AND source IN (SELECT s.id FROM source s JOIN server v ON v.id = s.server WHERE v.name = :server)
     AND route IN (SELECT id FROM route WHERE ip IS NULL AND transport IS NOT NULL)),
addressed AS (
  SELECT lower(r.text) AS recipient, lower(coalesce(o.text, r.text)) AS original
    FROM delivered d
    JOIN string k ON k.id = d.kind AND k.text IN ('delivered', 'additional')
    JOIN string r ON r.id = d.recipient
    LEFT JOIN string o ON o.id = d.original),
address AS (
  SELECT iif(instr(recipient, '@'), recipient, original) AS text FROM addressed
   WHERE instr(recipient, '@')
      OR substr(original, 1, length(recipient) + 1) IN (recipient || '@', recipient || '+')
  UNION
  SELECT lower(u.text)
    FROM (SELECT DISTINCT user FROM session_line
           WHERE at >= :from AND at < :until AND kind = 2 AND server = (SELECT id FROM server WHERE name = :server)) l
    JOIN string u ON u.id = l.user
   WHERE instr(u.text, '@')),
parted AS (
  SELECT substr(text, 1, instr(text, '@') - 1) AS local, substr(text, instr(text, '@') + 1) AS domain FROM address)
SELECT DISTINCT n.value AS name, domain
  FROM parted JOIN json_each(:names) n ON local = n.value OR substr(local, 1, length(n.value) + 1) = n.value || '+'
 WHERE domain <> ''
 ORDER BY 1, 2
