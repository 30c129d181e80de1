-- report:  database
-- section: reading 50
-- title:   Database
-- help:    How large the database file is, and how much of that is free to be used again.
-- layout:  table
-- column:  size   bytes  Size
-- column:  free   bytes  Free
-- column:  pages  count  Pages
SELECT c.page_count * s.page_size     AS size,
       f.freelist_count * s.page_size AS free,
       c.page_count                   AS pages
  FROM pragma_page_count c, pragma_page_size s, pragma_freelist_count f
 ORDER BY 1;
