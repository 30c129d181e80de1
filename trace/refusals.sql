-- What was refused of a message in one second: recipients at the end of its data, or the message itself.
SELECT at, time, stage, temporary, host, helo, ip, sender, recipient, reason_class, reason, detail, ambiguous
  FROM rejections
 WHERE at = :at AND server = :server AND exim_id = :exim_id
 ORDER BY stage, recipient, detail
