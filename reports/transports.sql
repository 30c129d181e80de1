-- report:  transports
-- section: traffic 20
-- title:   Deliveries by transport
-- help:    Which of the server's transports carried how much; :blackhole: had none.
-- layout:  list
-- column:  transport  text   Transport
-- column:  bytes      bytes  Volume
-- column:  messages   count  Messages
WITH t AS (
    SELECT key1, sum(count) AS messages, sum(bytes) AS bytes
      FROM tally
     WHERE measure = 'delivered_transport'
     GROUP BY key1)
SELECT coalesce(s.text, ':blackhole:') AS transport,
       t.bytes                         AS bytes,
       t.messages                      AS messages
  FROM t
  LEFT JOIN string s ON s.id = t.key1
 WHERE t.messages > 0
 ORDER BY 1;
