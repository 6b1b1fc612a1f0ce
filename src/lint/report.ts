import { CODES } from './codes.js';
import type { Code } from './codes.js';
import type { Finding, Severity } from './finding.js';

/** Findings as text for people, JSON, SARIF 2.1.0 for code scanning, and workflow commands for GitHub. */
export const FORMATS = ['text', 'json', 'sarif', 'github'] as const;
export type Format = (typeof FORMATS)[number];

export function report(findings: readonly Finding[], format: Format, version: string): string {
  switch (format) {
    case 'text':
      return findings.map((finding) => `${textLine(finding)}\n`).join('');
    case 'json':
      return `${JSON.stringify(findings, null, 2)}\n`;
    case 'sarif':
      return `${JSON.stringify(sarif(findings, version), null, 2)}\n`;
    case 'github':
      return findings.map((finding) => `${githubLine(finding)}\n`).join('');
  }
}

const withHint = ({ message, hint }: Finding): string => (hint === undefined ? message : `${message} (${hint})`);

export function textLine(finding: Finding): string {
  const { file, line, column, severity, code } = finding;
  return `${file}:${line}:${column}: ${severity} ${code}: ${withHint(finding)}`;
}

const LEVELS = { error: 'error', warning: 'warning', info: 'note' } as const satisfies Record<Severity, string>;
const COMMANDS = { error: 'error', warning: 'warning', info: 'notice' } as const satisfies Record<Severity, string>;

function githubLine(finding: Finding): string {
  const { file, line, column, severity, code } = finding;
  const place = `file=${escaped(file, true)},line=${line},col=${column},title=${escaped(`firsthand ${code}`, true)}`;
  return `::${COMMANDS[severity]} ${place}::${escaped(withHint(finding), false)}`;
}

/** The runner's own escapes: in a property also what ends it. */
function escaped(text: string, property: boolean): string {
  const data = text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
  return property ? data.replaceAll(':', '%3A').replaceAll(',', '%2C') : data;
}

function sarif(findings: readonly Finding[], version: string): object {
  const codes = [...new Set(findings.map(({ code }) => code))].sort();
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'firsthand', version, rules: codes.map(ruleOf) } },
        // Columns count UTF-16 units.
        columnKind: 'utf16CodeUnits',
        results: findings.map((finding) => resultOf(finding, codes.indexOf(finding.code))),
      },
    ],
  };
}

const ruleOf = (code: Code): object => ({ id: code, shortDescription: { text: CODES[code] } });

function resultOf(finding: Finding, ruleIndex: number): object {
  const { file, line, column, severity, code } = finding;
  const uri = file.split('/').map(encodeURIComponent).join('/');
  return {
    ruleId: code,
    ruleIndex,
    level: LEVELS[severity],
    message: { text: withHint(finding) },
    locations: [{ physicalLocation: { artifactLocation: { uri }, region: { startLine: line, startColumn: column } } }],
  };
}
