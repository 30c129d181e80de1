-- report:  database
-- section: reading 50
-- title:   Database
-- help:    How large the database file is, what of it the archive of lines takes, how much text that is, and what is free.
-- layout:  table
-- column:  size    bytes  Size
-- column:  archive bytes  Archive
-- column:  text    bytes  Text in it
-- column:  free    bytes  Free
-- column:  pages   count  Pages
SELECT c.page_count * s.page_size     AS size,
       b.packed                       AS archive,
       b.text                         AS text,
       f.freelist_count * s.page_size AS free,
       c.page_count                   AS pages
  FROM (SELECT coalesce(sum(length(text)), 0) AS packed, coalesce(sum(octets), 0) AS text FROM line_block) b,
       pragma_page_count c, pragma_page_size s, pragma_freelist_count f
 ORDER BY 1;
