/**
 * Numbers as Prometheus reads them: its text format, version 0.0.4. In: families of samples, read while somebody scrapes. Out:
 * the text. Does NOT bound how many samples there are, nor prove that names are valid: both are ours.
 */
export type Labels = Readonly<Record<string, string>>;

export interface Sample {
  /** Of the family's name: `_bucket`, `_sum`, `_count` of a histogram; else nothing. */
  readonly suffix?: string;
  readonly labels?: Labels;
  readonly value: number;
}

export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly read: () => Iterable<Sample>;
}

export const exposition = (families: readonly Family[]): string => families.map(familyText).join('\n');

function familyText({ name, help, type, read }: Family): string {
  const samples = [...read()].map((sample) => sampleText(name, sample));
  return [`# HELP ${name} ${escape(help)}`, `# TYPE ${name} ${type}`, ...samples, ''].join('\n');
}

function sampleText(name: string, { suffix = '', labels = {}, value }: Sample): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escape(text).replaceAll('"', '\\"')}"`);
  return `${name}${suffix}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${numberText(value)}`;
}

const escape = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');

function numberText(value: number): string {
  if (value === Infinity) return '+Inf';
  return value === -Infinity ? '-Inf' : String(value);
}
