-- What was tried for a message in one second.
SELECT at, time, kind, original, recipient, router, transport, host, ip, tls, size, response, reason_class,
       CASE WHEN kind IN ('deferred', 'failed', 'discarded') THEN detail END AS detail,
       error, delivery_seconds, queue_seconds, ambiguous
  FROM deliveries
 WHERE at = :at AND server = :server AND exim_id = :exim_id
 ORDER BY kind = 'deferred' DESC, original, recipient
