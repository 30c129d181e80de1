-- report:  delivery-kinds
-- section: traffic 70
-- title:   Delivery lines by kind
-- help:    What became of each address; hand-offs go to a scanner that sends a copy back, and are no deliveries.
-- layout:  list
-- empty:   hide
-- column:  kind   text   Kind
-- column:  lines  count  Lines
WITH t AS (
    SELECT key1, sum(count) AS lines
      FROM tally
     WHERE measure = 'delivery_kind'
     GROUP BY key1
    UNION ALL
    SELECT 0, sum(count)
      FROM tally
     WHERE measure = 'copied')
SELECT coalesce(s.text, 'copies received') AS kind,
       t.lines                             AS lines
  FROM t
  LEFT JOIN string s ON s.id = t.key1
 WHERE t.lines > 0
 ORDER BY kind;
