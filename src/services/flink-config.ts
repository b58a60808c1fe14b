// A Flink cluster's configuration as options and raw values: from `config.yaml` (nested or flat), from the older
// `flink-conf.yaml`, or from a running cluster. Spec: docs/commands.md "doctor".
import { readFile, stat } from 'node:fs/promises';
import * as v from 'valibot';
import { parse } from 'yaml';
import { JobrecError, messageOf } from '../model/errors.ts';
import { readStandardInput, standardInput, standardInputName } from '../store/standard-input.ts';
import { get } from './flink-rest.ts';

export interface FlinkConfig {
  readonly options: ReadonlyMap<string, string>;
  readonly flinkVersion: string | null;
}

const fileSizeBytesMax = 4 * 1024 * 1024;

/** Errors: INVALID_ARGUMENT for a file that cannot be read or understood, REST_UNAVAILABLE. */
export async function readFlinkConfig(target: string): Promise<FlinkConfig> {
  if (/^https?:\/\//.test(target)) return configOfCluster(target);
  const isStdin = target === standardInput;
  const text = isStdin ? await readConfigInput() : await readConfigFile(target);
  return { options: parseFlinkConfig(text, isStdin ? standardInputName : target), flinkVersion: null };
}

async function readConfigInput(): Promise<string> {
  const bytes = await readStandardInput(fileSizeBytesMax);
  if (bytes === null) throw invalid(standardInputName, `is larger than ${fileSizeBytesMax} bytes`);
  return bytes.toString('utf8');
}

async function readConfigFile(path: string): Promise<string> {
  try {
    const found = await stat(path);
    if (found.isDirectory()) throw invalid(path, 'is a folder; give the config.yaml in it');
    if (found.size > fileSizeBytesMax) throw invalid(path, `is larger than ${fileSizeBytesMax} bytes`);
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof JobrecError) throw error;
    throw invalid(path, messageOf(error));
  }
}

function invalid(target: string, what: string): JobrecError {
  const hint = "give a cluster's config.yaml (or flink-conf.yaml), or the URL of its REST interface";
  return new JobrecError('INVALID_ARGUMENT', `${target}: ${what}`, { data: { target }, hint });
}

/** `source` names the text in errors. */
export function parseFlinkConfig(text: string, source: string): Map<string, string> {
  let document: unknown;
  try {
    document = parse(text);
  } catch (error) {
    throw invalid(source, `is not YAML: ${messageOf(error).split(':')[0]}`);
  }
  const options = new Map<string, string>();
  if (document === null) return options;
  if (typeof document !== 'object' || Array.isArray(document)) throw invalid(source, 'holds no options');
  flatten(document as Record<string, unknown>, '', options);
  return options;
}

function flatten(values: Readonly<Record<string, unknown>>, prefix: string, options: Map<string, string>): void {
  for (const [name, value] of Object.entries(values)) {
    const option = prefix + name;
    if (Array.isArray(value)) options.set(option, value.join(';'));
    else if (typeof value === 'object' && value !== null) {
      flatten(value as Record<string, unknown>, `${option}.`, options);
    } else if (value !== null) options.set(option, String(value));
  }
}

const optionsSchema = v.array(v.object({ key: v.string(), value: v.string() }));
const overviewSchema = v.object({ 'flink-version': v.string() });

async function configOfCluster(url: string): Promise<FlinkConfig> {
  const base = new URL(url.endsWith('/') ? url : `${url}/`);
  const answer = v.safeParse(optionsSchema, await get(base, 'jobmanager/config'));
  if (!answer.success) {
    throw new JobrecError('REST_UNAVAILABLE', `${base.href}jobmanager/config is not answered as Flink does`, {
      data: { url: base.href },
    });
  }
  const overview = v.safeParse(overviewSchema, await get(base, 'config'));
  return {
    options: new Map(answer.output.map(({ key, value }) => [key, value])),
    flinkVersion: overview.success ? overview.output['flink-version'] : null,
  };
}
