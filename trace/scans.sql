-- What spamd said of a Message-ID around a message's arrival: an ACL asks before it, a transport behind it.
SELECT at, time, is_spam, score, threshold, rules, user, seconds, size, autolearn
  FROM scans
 WHERE at BETWEEN :at - 600 AND :at + 600 AND server = :server AND message_id = :message_id
 ORDER BY at, score
