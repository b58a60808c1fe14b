// The demo's question to DuckDB alone, in a fresh process: the query of examples/flights/one-query.sql written to one
// Parquet file. `raw-duckdb <threads> <output file>`, in the folder of the checkout.
import { readFile } from 'node:fs/promises';
import { DuckDBInstance } from '@duckdb/node-api';

const [threads = '1', output = ''] = process.argv.slice(2);
const query = await readFile('examples/flights/one-query.sql', 'utf8');
const instance = await DuckDBInstance.create(':memory:', { threads });
const connection = await instance.connect();
await connection.run(`COPY (${query}) TO '${output.replaceAll("'", "''")}' (FORMAT parquet)`);
connection.closeSync();
instance.closeSync();
