-- report:  relayed
-- section: traffic 60
-- title:   Relayed messages
-- help:    Received from one host, delivered to another, recipient unchanged; of very many, the busiest hosts'.
-- layout:  relay
-- empty:   No relayed messages
-- column:  messages   count  Messages
-- column:  from_host  text   From host
-- column:  sender     text   Sender
-- column:  to_host    text   To host
-- column:  recipient  text   Recipient
-- column:  total      count  Of all
WITH t AS MATERIALIZED (
    SELECT key1, key2, key3, key4, sum(count) AS messages
      FROM tally
     WHERE measure = 'relayed'
     GROUP BY key1, key2, key3, key4
    HAVING sum(count) > 0),
from_host AS (
    SELECT t.key1 AS key1, coalesce(s.text, 'local') AS text,
           count(*) AS lines, sum(t.messages) AS messages
      FROM t
      LEFT JOIN string s ON s.id = t.key1
     GROUP BY t.key1),
busiest AS (
    SELECT key1, text,
           sum(lines) OVER (ORDER BY messages DESC, text) - lines AS lines_before,
           sum(messages) OVER () AS total
      FROM from_host)
SELECT t.messages                       AS messages,
       busiest.text                     AS from_host,
       iif(sender.text = '', '<>', coalesce(sender.text, 'unknown')) AS sender,
       coalesce(to_host.text, 'local')  AS to_host,
       coalesce(recipient.text, 'unknown') AS recipient,
       busiest.total                    AS total
  FROM t
  JOIN busiest               ON busiest.key1 = t.key1
  LEFT JOIN string sender    ON sender.id = t.key2
  LEFT JOIN string to_host   ON to_host.id = t.key3
  LEFT JOIN string recipient ON recipient.id = t.key4
 WHERE busiest.lines_before < 20 * coalesce(:top, 50)
 ORDER BY from_host, sender, to_host, recipient
 LIMIT 20 * coalesce(:top, 50);
