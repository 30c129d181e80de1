-- report:  local-destinations
-- section: destinations 20
-- title:   Top {local destination} by {each}
-- help:    Local mailboxes, pipes and files delivered to.
-- layout:  league
-- top:     delivered_user
-- empty:   hide
-- each:    message count, volume
-- column:  messages   count  Messages
-- column:  addresses  count  Addresses
-- column:  bytes      bytes  Bytes
-- column:  average    bytes  Average
-- column:  recipient  text   Local destination
WITH t AS (
    SELECT key1, sum(count) AS messages, sum(addresses) AS addresses, sum(bytes) AS bytes
      FROM tally
     WHERE measure = 'delivered_user'
     GROUP BY key1)
SELECT t.messages             AS messages,
       t.addresses AS addresses,
       t.bytes                AS bytes,
       (t.bytes + t.messages / 2) / t.messages AS average,
       coalesce(s.text, 'unknown') AS recipient
  FROM t
  LEFT JOIN string s ON s.id = t.key1
 WHERE t.messages > 0
 ORDER BY iif(:each = 'volume', bytes, messages) DESC,
          iif(:each = 'volume', messages, bytes) DESC, recipient
 LIMIT coalesce(:top, 50);
