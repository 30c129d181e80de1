-- report:  temporary-rejection-reasons
-- section: rejections 20
-- title:   Top {mail temporary rejection reason} by message count
-- help:    Why mail was refused for now: stage and reason, what varies taken out.
-- layout:  league
-- empty:   hide
-- column:  messages  count  Messages
-- column:  reason    text   Mail temporary rejection reason
WITH t AS (
    SELECT key1 AS stage, key2 AS reason, sum(count) AS messages
      FROM tally
     WHERE measure = 'deferred_client'
     GROUP BY key1, key2)
SELECT t.messages AS messages,
       'Temporarily rejected' || iif(stage.text = 'other', '', ' ' || upper(stage.text))
           || coalesce(': ' || nullif(reason.text, ''), '') AS reason
  FROM t
  JOIN string stage       ON stage.id = t.stage
  LEFT JOIN string reason ON reason.id = t.reason
 WHERE t.messages > 0
 ORDER BY t.messages DESC, 2
 LIMIT coalesce(:top, 50);
