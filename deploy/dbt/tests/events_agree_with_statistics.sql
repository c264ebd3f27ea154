-- Days on which the stored events are not as many as the API's own statistics say, although both are complete.
{{ config(severity='warn') }}
SELECT * FROM {{ source('flashback_bi', 'reconciliation_daily') }} WHERE comparable AND difference <> 0
