/**
 * The ways in which a line is broken. In: a node of the source's syntax tree. Out: replacements of a range of its text, each
 * one small mistake that a tired person could make. Leaves alone what only words a message: types, imports, and texts
 * inside of calls that make a refusal, an issue or an error.
 */
import ts from 'typescript';

export interface Replacement {
  readonly operator: string;
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

/** Calls whose texts are for people. The first argument of `refuse` is a reason: see `otherReason`. */
const MESSAGES: ReadonlySet<string> = new Set([
  ...['refuse', 'unreadable', 'problem', 'issueAt', 'wrong', 'malformed', 'invalid', 'anchorMismatch', 'Error', 'note'],
  ...['missing', 'foreign', 'notBehind', 'bareProblem'],
]);

const COMPARISONS: ReadonlyMap<string, readonly string[]> = new Map([
  ['<', ['<=', '>=']],
  ['<=', ['<', '>']],
  ['>', ['>=', '<=']],
  ['>=', ['>', '<']],
  ['===', ['!==']],
  ['!==', ['===']],
]);

const SWAPPED_METHODS: ReadonlyMap<string, string> = new Map([
  ['some', 'every'],
  ['every', 'some'],
  ['startsWith', 'endsWith'],
  ['endsWith', 'startsWith'],
  ['indexOf', 'lastIndexOf'],
  ['lastIndexOf', 'indexOf'],
  ['push', 'unshift'],
  ['unshift', 'push'],
  ['min', 'max'],
  ['max', 'min'],
  ['floor', 'ceil'],
]);

/** Methods that give back something like what they were called on: the call is left out. */
const OMITTED_METHODS: ReadonlySet<string> = new Set([
  ...['slice', 'trim', 'toLowerCase', 'toUpperCase', 'replace', 'replaceAll', 'sort', 'filter', 'flat', 'reverse'],
]);

export function replacementsAt(node: ts.Node, source: ts.SourceFile): readonly Replacement[] {
  const at = (operator: string, target: ts.Node, text: string): Replacement => ({
    operator,
    from: target.getStart(source),
    to: target.getEnd(),
    text,
  });
  const textOf = (part: ts.Node): string => part.getText(source);
  const found: Replacement[] = [];

  const condition = conditionOf(node);
  if (condition !== undefined && !negatedOtherwise(condition)) {
    found.push(at('negate the condition', condition, `!(${textOf(condition)})`));
  }
  if (ts.isIfStatement(node) && node.elseStatement === undefined && leaves(node.thenStatement)) {
    found.push(at(`drop "if … ${firstWord(textOf(leaving(node.thenStatement)))}"`, node, ';'));
  }
  if (ts.isPrefixUnaryExpression(node) && node.operator === ts.SyntaxKind.ExclamationToken) {
    found.push(at('drop "!"', node, textOf(node.operand)));
  }
  if (ts.isBinaryExpression(node)) found.push(...ofBinary(node, at, textOf));
  if (ts.isExpressionStatement(node)) found.push(at('drop the statement', node, ';'));
  if (ts.isCallExpression(node)) found.push(...ofCall(node, at, textOf));
  if (ts.isTypeNode(node) || isWording(node)) return found;
  if (node.kind === ts.SyntaxKind.TrueKeyword) found.push(at('true to false', node, 'false'));
  if (node.kind === ts.SyntaxKind.FalseKeyword) found.push(at('false to true', node, 'true'));
  if (ts.isNumericLiteral(node)) {
    const value = Number(node.text);
    found.push(at('one more', node, String(value + 1)));
    if (value > 0) found.push(at('one less', node, String(value - 1)));
  }
  if (isPlainText(node)) found.push(at('another text', node, node.text === '' ? "'mutant'" : "''"));
  if (ts.isArrayLiteralExpression(node) && node.elements.length > 0 && !ts.isBinaryExpression(node.parent)) {
    found.push(at('an empty list', node, '[]'));
  }
  if (ts.isRegularExpressionLiteral(node)) found.push(...ofPattern(node, at));
  return found;
}

type At = (operator: string, target: ts.Node, text: string) => Replacement;
type TextOf = (part: ts.Node) => string;

function conditionOf(node: ts.Node): ts.Expression | undefined {
  if (ts.isIfStatement(node) || ts.isWhileStatement(node)) return node.expression;
  if (ts.isConditionalExpression(node)) return node.condition;
  return ts.isForStatement(node) ? node.condition : undefined;
}

/** Where another operator makes the very same mutant. */
function negatedOtherwise(condition: ts.Expression): boolean {
  if (ts.isPrefixUnaryExpression(condition) && condition.operator === ts.SyntaxKind.ExclamationToken) return true;
  return ts.isBinaryExpression(condition) && COMPARISONS.has(condition.operatorToken.getText());
}

const leaving = (statement: ts.Statement): ts.Statement =>
  ts.isBlock(statement) ? (statement.statements.at(-1) ?? statement) : statement;

function leaves(statement: ts.Statement): boolean {
  const last = leaving(statement);
  return ts.isReturnStatement(last) || ts.isContinueStatement(last) || ts.isThrowStatement(last);
}

const firstWord = (text: string): string => /^\w+( \w+)?/.exec(text)?.[0] ?? '';

function ofBinary({ left, operatorToken, right }: ts.BinaryExpression, at: At, textOf: TextOf): Replacement[] {
  const sign = textOf(operatorToken);
  const whole = operatorToken.parent;
  const swapped = (to: string): Replacement => at(`"${sign}" to "${to}"`, operatorToken, to);
  if (COMPARISONS.has(sign)) return (COMPARISONS.get(sign) ?? []).map(swapped);
  switch (sign) {
    case '&&':
      return [swapped('||')];
    case '||':
      return [swapped('&&')];
    case '??':
      return [
        at('drop what stands left of "??"', whole, textOf(right)),
        at('drop what stands right of "??"', whole, textOf(left)),
      ];
    case '+':
      return isWording(whole) ? [] : [swapped('-')];
    case '-':
      return [swapped('+')];
    case '+=':
      return [swapped('-=')];
    case '-=':
      return [swapped('+=')];
    case '??=':
      return [swapped('=')];
    default:
      return [];
  }
}

function ofCall(node: ts.CallExpression, at: At, textOf: TextOf): Replacement[] {
  const { expression } = node;
  const found: Replacement[] = [];
  if (ts.isIdentifier(expression) && expression.text === 'refuse') found.push(...otherReason(node, at));
  if (!ts.isPropertyAccessExpression(expression)) return found;
  const { name } = expression;
  const other = SWAPPED_METHODS.get(name.text);
  if (other !== undefined) found.push(at(`"${name.text}" to "${other}"`, name, other));
  if (OMITTED_METHODS.has(name.text) && !isWording(node)) {
    found.push(at(`leave out "${name.text}"`, node, textOf(expression.expression)));
  }
  return found;
}

/** Of the right type, so that only a test can tell. */
function otherReason({ arguments: [reason] }: ts.CallExpression, at: At): Replacement[] {
  if (reason === undefined || !ts.isStringLiteral(reason)) return [];
  const text = reason.text === 'internal_error' ? "'limit_exceeded'" : "'internal_error'";
  return [at('another reason', reason, text)];
}

function isPlainText(node: ts.Node): node is ts.StringLiteral | ts.NoSubstitutionTemplateLiteral {
  if (!ts.isStringLiteral(node) && !ts.isNoSubstitutionTemplateLiteral(node)) return false;
  const { parent } = node;
  if (ts.isImportDeclaration(parent) || ts.isExportDeclaration(parent) || ts.isLiteralTypeNode(parent)) return false;
  return !ts.isCaseClause(parent) && !(ts.isPropertyAssignment(parent) && parent.name === node);
}

/** Whether the node stands in the words of a message: an argument of such a call, or a text that such a call is given by name. */
function isWording(node: ts.Node): boolean {
  for (let inner = node, outer = node.parent; outer !== undefined; inner = outer, outer = outer.parent) {
    if (ts.isVariableDeclaration(outer) && ts.isIdentifier(outer.name) && WORDS.has(outer.name.text)) return true;
    if (ts.isPropertyAssignment(outer) && ts.isIdentifier(outer.name) && WORDS.has(outer.name.text)) return true;
    if ((ts.isCallExpression(outer) || ts.isNewExpression(outer)) && inner !== outer.expression) {
      return ts.isIdentifier(outer.expression) && MESSAGES.has(outer.expression.text);
    }
    if (ts.isStatement(outer) || ts.isFunctionLike(outer)) return false;
  }
  return false;
}

const WORDS: ReadonlySet<string> = new Set([
  'hint',
  'detail',
  'message',
  'expected',
  'word',
  'needed',
  'accepted',
  'form',
]);

function ofPattern(node: ts.RegularExpressionLiteral, at: At): Replacement[] {
  const end = node.text.lastIndexOf('/');
  const body = node.text.slice(1, end);
  const flags = node.text.slice(end + 1);
  const found: Replacement[] = [];
  if (body.startsWith('^')) found.push(at('drop "^"', node, `/${body.slice(1)}/${flags}`));
  if (body.endsWith('$') && !body.endsWith('\\$')) found.push(at('drop "$"', node, `/${body.slice(0, -1)}/${flags}`));
  return found;
}
