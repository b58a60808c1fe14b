// A temporary folder with small sources and a function, in which the planner's tests put their job files.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { JobrecError } from '../../src/model/errors.ts';
import { type PlannedJob, planJob } from '../../src/plan/plan-job.ts';
import { openDatabase, quoteLiteral } from '../../src/sql/duckdb.ts';

export class JobFolder {
  readonly path = mkdtempSync(join(tmpdir(), 'jobrec-plan-'));

  static async create(): Promise<JobFolder> {
    const folder = new JobFolder();
    folder.write('people.csv', 'id,name,city\n1,Ada,3\n2,Bob,4\n');
    folder.write('events.json', '{"id":1,"at":"2024-01-01"}\n{"id":2,"at":"2024-01-02"}\n');
    folder.write('broken.parquet', 'this is no Parquet file, whatever its name says');
    folder.write('parts/people.csv', 'id,name\n1,Ada\n');
    folder.write('empty/.keep', '');
    folder.write(
      'functions.ts',
      'export async function* clean(rows: AsyncIterable<object>) { yield* rows; }\nexport const version = 1;\n',
    );
    folder.write('broken.ts', 'export function clean( {\n  return 1 +;\n}\n');
    await folder.parquet(
      'orders.parquet',
      'SELECT i AS id, (i % 7)::INTEGER AS city, i::DECIMAL(18,2) AS amount FROM range(1000) r(i)',
    );
    return folder;
  }

  write(name: string, text: string): string {
    const path = join(this.path, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    return path;
  }

  async parquet(name: string, sql: string, rowGroupSize = 122_880): Promise<string> {
    const database = await openDatabase({ threads: 1, memoryLimitBytes: null, tempDirectory: null });
    const connection = await database.connect();
    const path = join(this.path, name);
    await connection.run(
      `COPY (${sql}) TO ${quoteLiteral(path)} (FORMAT parquet, COMPRESSION uncompressed, ROW_GROUP_SIZE ${rowGroupSize})`,
    );
    connection.closeSync();
    database.closeSync();
    return path;
  }

  plan(text: string, overrides: Readonly<Record<string, string>> = {}, totalSlots = 4): Promise<PlannedJob> {
    return planJob({ path: join(this.path, 'job.yaml'), text, overrides, totalSlots });
  }

  async errorOf(text: string): Promise<JobrecError> {
    try {
      await this.plan(text);
    } catch (error) {
      if (error instanceof JobrecError) return error;
      throw error;
    }
    throw new Error('the job was accepted');
  }

  remove(): void {
    rmSync(this.path, { recursive: true });
  }
}
