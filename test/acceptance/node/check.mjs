// Opens the analysts' file with DuckDB's own Node package and prints what it sees as JSON.
import { DuckDBInstance } from '@duckdb/node-api';

const [path] = process.argv.slice(2);
const instance = await DuckDBInstance.create(path, { access_mode: 'READ_ONLY' });
const connection = await instance.connect();
await connection.run("SET TimeZone = 'UTC'");

const rows = async (sql) => (await connection.runAndReadAll(sql)).getRowsJS();
const one = async (sql) => (await rows(sql))[0][0];

const seen = { counts: {}, types: {} };
for (const table of ['alerts', 'violations', 'policy_stats']) {
  seen.counts[table] = Number(await one(`SELECT count(*) FROM ${table}`));
  const reader = await connection.runAndReadAll(`SELECT * FROM ${table} LIMIT 0`);
  seen.types[table] = Object.fromEntries(reader.columnNames().map((name, i) => [name, String(reader.columnType(i))]));
}
const newest = await one('SELECT "timestamp" FROM alerts ORDER BY "timestamp" DESC, id LIMIT 1');
seen.newest = newest.toISOString();
seen.emoji = await one(`SELECT message FROM alerts WHERE message LIKE '👩‍👩‍👧‍👦%'`);
console.log(JSON.stringify(seen));
