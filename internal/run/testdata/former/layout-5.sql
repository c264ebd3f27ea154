SELECT table_name, column_name, treatment, since FROM sync_privacy WHERE treatment <> 'keep' ORDER BY ALL;

SELECT started_at, stream, rows_received, rows_withheld FROM sync_runs ORDER BY started_at DESC, stream LIMIT 20
