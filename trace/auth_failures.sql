-- Logins that failed in one second.  Their words are not kept as they stand: there is no detail.
SELECT at, time, server, 'login failed' AS what, 'auth' AS stage, 0 AS temporary, host, helo, ip, NULL AS sender,
       NULL AS recipient, user, service, 'authentication' AS reason_class, reason, NULL AS detail, NULL AS exim_id,
       ambiguous, NULL AS headers
  FROM auth_failures
 WHERE at = :at
