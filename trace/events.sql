-- What else was logged of a message in one second.
SELECT at, time, kind, host, ip, text, ambiguous
  FROM events
 WHERE at = :at AND server = :server AND exim_id = :exim_id
 ORDER BY kind, text
