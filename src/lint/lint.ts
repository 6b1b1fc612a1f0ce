import type { Env } from '../config/interpolate.js';
import { readAnnotationFile } from './annotation-file.js';
import type { Declarations } from './annotation-file.js';
import { compareWithApi } from './api/coverage.js';
import { readDescriptors } from './api/descriptors.js';
import { readOpenApi } from './api/openapi.js';
import { readConfigFile } from './config-file.js';
import { checkOwner } from './declared.js';
import type { Checked } from './declared.js';
import { START, inOrder, remark } from './finding.js';
import type { Finding } from './finding.js';
import { readUtf8 } from './input.js';
import { kindOf } from './kind.js';
import type { Kind } from './kind.js';
import { readManifest } from './manifest.js';
import { sameFile } from './places.js';
import type { Operator } from './sheet.js';

/**
 * Files in, findings out. What `serve` would refuse is refused here by the same code; the rest looks for lines that mean
 * something else than their author believes. It opens no file and knows no clock: cli/lint.ts reads.
 */
export interface Input {
  /** As findings shall call it. */
  readonly file: string;
  readonly bytes: Uint8Array;
  /** From a pipe, where nothing at all is suspicious. */
  readonly piped?: boolean;
}

export interface LintRequest {
  readonly inputs: readonly Input[];
  /** What all inputs are; by default each tells by its content. */
  readonly as: Kind | undefined;
  /** The operator's configuration, to check the others against. */
  readonly config: Input | undefined;
  readonly openapi: readonly Input[];
  readonly descriptors: readonly Input[];
  readonly env: Env;
}

export function lint(request: LintRequest): readonly Finding[] {
  const findings: Finding[] = [];
  const operator = readOperator(request, findings);
  const checked = request.inputs.flatMap((input) => lintOne(input, request, operator, findings));
  findings.push(...checked.flatMap((each) => each.findings), ...apiFindings(request, checked));
  return inOrder(
    findings,
    request.inputs.map(({ file }) => file),
  );
}

function readOperator({ config, env }: LintRequest, findings: Finding[]): Operator | undefined {
  const text = config === undefined ? undefined : textOf(config, findings);
  if (config === undefined || text === undefined) return undefined;
  const reading = readConfigFile(config.file, text, env);
  // What can never work in it is said where it is linted itself.
  if (reading.operator === undefined) findings.push(...reading.findings);
  return reading.operator;
}

function textOf({ file, bytes }: Input, findings: Finding[]): string | undefined {
  const reading = readUtf8(bytes);
  if (reading.ok) return reading.text;
  findings.push({ file, ...reading.remark });
  return undefined;
}

function lintOne(input: Input, request: LintRequest, operator: Operator | undefined, findings: Finding[]): Checked[] {
  const text = textOf(input, findings);
  if (text === undefined) return [];
  const { file, piped } = input;
  if (text.trim() === '') findings.push({ file, ...(piped === true ? EMPTY : { ...EMPTY, severity: 'info' }) });
  const kind = request.as ?? kindOf(text);
  const rights = operator?.settings.policy.ownersMay;
  switch (kind) {
    case 'config':
      findings.push(...readConfigFile(file, text, request.env).findings);
      return [];
    case 'annotations':
      return checkAll(readAnnotationFile(file, text, rights), operator, findings);
    case 'scopes':
      return [checkOwner({ file, text, places: sameFile, data: null, name: undefined }, operator)];
    case 'manifest':
      return checkAll(readManifest(file, text, rights), operator, findings);
    case undefined:
      findings.push({ file, ...UNKNOWN });
      return [];
  }
}

/** What stands before a pipe and fails writes nothing; that must not look like a clean chart. An empty file is valid. */
const EMPTY = remark(
  START,
  'warning',
  'empty',
  'expected something to check, got nothing',
  'to declare no line on purpose, write a comment',
);

const UNKNOWN = remark(
  START,
  'error',
  'kind_unknown',
  'expected a configuration, an annotation file, scope lines or a Kubernetes manifest',
  'say which with --as config, annotations, scopes or manifest',
);

function checkAll(
  { findings: own, declared }: Declarations,
  operator: Operator | undefined,
  findings: Finding[],
): Checked[] {
  findings.push(...own);
  return declared.map((each) => checkOwner(each, operator));
}

function apiFindings({ openapi, descriptors }: LintRequest, checked: readonly Checked[]): Finding[] {
  const findings: Finding[] = [];
  const readings = [
    ...openapi.flatMap((input) => {
      const text = textOf(input, findings);
      return text === undefined ? [] : [{ file: input.file, reading: readOpenApi(input.file, text) }];
    }),
    ...descriptors.map(({ file, bytes }) => ({ file, reading: readDescriptors(file, bytes) })),
  ];
  findings.push(...readings.flatMap(({ file, reading }) => reading.remarks.map((each) => ({ file, ...each }))));
  const readable = readings.map(({ reading }) => reading);
  return readable.length === 0 || findings.some(({ severity }) => severity === 'error')
    ? findings
    : [...findings, ...compareWithApi(readable, checked)];
}
