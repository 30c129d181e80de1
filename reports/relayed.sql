-- report:  relayed
-- section: traffic 60
-- title:   Relayed messages
-- help:    Received from one host and delivered to another, the recipient as the sender gave it.
-- layout:  relay
-- empty:   No relayed messages
-- column:  messages   count  Messages
-- column:  from_host  text   From host
-- column:  sender     text   Sender
-- column:  to_host    text   To host
-- column:  recipient  text   Recipient
WITH t AS (
    SELECT key1, key2, key3, key4, sum(count) AS messages
      FROM tally
     WHERE measure = 'relayed'
     GROUP BY key1, key2, key3, key4)
SELECT t.messages                     AS messages,
       coalesce(from_host.text, 'local') AS from_host,
       iif(sender.text = '', '<>', coalesce(sender.text, 'unknown')) AS sender,
       coalesce(to_host.text, 'local') AS to_host,
       coalesce(recipient.text, 'unknown') AS recipient
  FROM t
  LEFT JOIN string from_host ON from_host.id = t.key1
  LEFT JOIN string sender    ON sender.id = t.key2
  LEFT JOIN string to_host   ON to_host.id = t.key3
  LEFT JOIN string recipient ON recipient.id = t.key4
 WHERE t.messages > 0
 ORDER BY from_host, sender, to_host, recipient;
