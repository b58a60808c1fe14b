// The parts of DuckDB's package that are used from a lazily loaded place. A static re-export, because a bundler gives
// a dynamically imported CommonJS package a default export only.
export { DuckDBInstance, version } from '@duckdb/node-api';
