SELECT DISTINCT e.day
FROM main.events_daily e
LEFT JOIN bi.policies p ON p.id = e.policy_id
LEFT JOIN bi.repos r ON r.id = e.repo_id
LEFT JOIN bi.api_keys k ON k.id = e.api_key_id
LEFT JOIN main.sync_days d ON d.day = e.day AND d.stream = CASE e.kind WHEN 'alert' THEN 'alerts' ELSE 'violations' END
WHERE e.complete IS DISTINCT FROM (d.day IS NOT NULL)
  OR e.policy_name IS DISTINCT FROM p.name OR e.repo_name IS DISTINCT FROM r.name OR e.api_key_name IS DISTINCT FROM k.name
