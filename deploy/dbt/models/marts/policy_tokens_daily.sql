SELECT day, CAST(sum(policy_tokens_in) AS BIGINT) AS tokens_in, CAST(sum(policy_tokens_out) AS BIGINT) AS tokens_out, bool_and(complete AND closed) AS complete
FROM {{ source('flashback_bi', 'stats_org') }}
GROUP BY day
