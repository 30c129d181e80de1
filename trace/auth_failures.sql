-- Logins that failed in one second.
SELECT at, time, server, 'login failed' AS what, 'auth' AS stage, 0 AS temporary, host, helo, ip, NULL AS sender,
       NULL AS recipient, user, service, 'authentication' AS reason_class, reason AS detail, NULL AS exim_id, ambiguous,
       NULL AS headers
  FROM auth_failures
 WHERE at = :at
