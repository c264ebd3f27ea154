# Completes what cyclonedx-gomod says of the binary: a list of Go modules does not
# show DuckDB, which is C++, and time and tool are to be the same in every build.
{"type": "library", "bom-ref": "pkg:github/duckdb/duckdb@v\($duckdb)", "name": "DuckDB", "version": $duckdb,
 "purl": "pkg:github/duckdb/duckdb@v\($duckdb)", "cpe": "cpe:2.3:a:duckdb:duckdb:\($duckdb):*:*:*:*:*:*:*"} as $DuckDB
| .metadata.timestamp = ($epoch | tonumber | todate)
| del(.metadata.tools[].hashes)
| .metadata.component.hashes = [{"alg": "SHA-256", "content": $sha256}]
| .components = [$DuckDB] + .components
| .dependencies += [{"ref": $DuckDB."bom-ref"}]
| .metadata.component."bom-ref" as $program
| (.dependencies[] | select(.ref == $program) | .dependsOn) += [$DuckDB."bom-ref"]
