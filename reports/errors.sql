-- report:  errors
-- section: errors 10
-- title:   List of errors
-- help:    Recipients that failed for good: who, at which host, and why, what varies taken out.
-- layout:  errors
-- empty:   hide
-- column:  errors  count  Errors
-- column:  error   text   Error
WITH t AS (
    SELECT key1, key2, key3, sum(count) AS errors
      FROM tally
     WHERE measure = 'error'
     GROUP BY key1, key2, key3)
SELECT sum(t.errors) AS errors,
       coalesce(recipient.text, 'unknown') || coalesce(' H=' || host.text, '')
           || coalesce(': ' || reason.text, '') AS error
  FROM t
  LEFT JOIN string recipient ON recipient.id = t.key1
  LEFT JOIN string host      ON host.id = t.key2
  LEFT JOIN string reason    ON reason.id = t.key3
 WHERE t.errors > 0
 GROUP BY 2
 ORDER BY 2;
