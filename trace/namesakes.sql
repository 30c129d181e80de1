-- How many other messages of a Message-ID came around the same time: what spamd said may be of them.
SELECT count(*) AS others
  FROM messages
 WHERE at BETWEEN :at - 600 AND :at + 600 AND server = :server AND message_id = :message_id
   AND copy_of IS NULL AND exim_id <> :exim_id
