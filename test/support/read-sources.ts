// What the sources of this project hold, as far as their text tells.

import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import ts from "typescript";
import { projectRoot } from "./project.js";

export interface Source {
  /** From the root, with slashes. */
  name: string;
  /** The commands that it gives the program. */
  commands: string[];
  decides: boolean;
}

const branches = new Set([
  ts.SyntaxKind.IfStatement,
  ts.SyntaxKind.ConditionalExpression,
  ts.SyntaxKind.SwitchStatement,
  ts.SyntaxKind.ForStatement,
  ts.SyntaxKind.ForOfStatement,
  ts.SyntaxKind.ForInStatement,
  ts.SyntaxKind.WhileStatement,
  ts.SyntaxKind.DoStatement,
  ts.SyntaxKind.CatchClause,
]);
const branchingOperators = new Set([
  ts.SyntaxKind.AmpersandAmpersandToken,
  ts.SyntaxKind.BarBarToken,
  ts.SyntaxKind.QuestionQuestionToken,
  ts.SyntaxKind.AmpersandAmpersandEqualsToken,
  ts.SyntaxKind.BarBarEqualsToken,
  ts.SyntaxKind.QuestionQuestionEqualsToken,
]);
const statement = /^\s*(with|select|insert|update|delete|create|alter|drop|vacuum|lock)\s/i;

/** The TypeScript files below a folder of the project, from its root, in order. */
export function namesIn(folder: string): string[] {
  return readdirSync(path.join(projectRoot, folder), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => `${folder}/${file.split(path.sep).join("/")}`)
    .sort();
}

export function parseFile(name: string): ts.SourceFile {
  return parseText(readFileSync(path.join(projectRoot, name), "utf8"));
}

export function parseText(text: string): ts.SourceFile {
  return ts.createSourceFile("text.ts", text, ts.ScriptTarget.Latest, true);
}

export function readSource(name: string): Source {
  const tree = parseFile(name);
  const commands = nodesOf(tree).flatMap((node) => {
    if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression)) return [];
    const [first] = node.arguments;
    const isCommand = node.expression.name.text === "command" && first !== undefined;
    return isCommand && ts.isStringLiteral(first) ? [first.text] : [];
  });
  return { name, commands, decides: decidesSomething(tree) };
}

/** Whether a file has a branch, a loop or a statement for PostgreSQL. */
export function decidesSomething(tree: ts.SourceFile): boolean {
  return nodesOf(tree).some((node) => {
    if (branches.has(node.kind)) return true;
    if (ts.isBinaryExpression(node)) return branchingOperators.has(node.operatorToken.kind);
    return (ts.isStringLiteralLike(node) || ts.isTemplateHead(node)) && statement.test(node.text);
  });
}

/** The files of this project that a test takes more than types from. */
export function importsOf(name: string, tree: ts.SourceFile): string[] {
  return nodesOf(tree).flatMap((node) => {
    const specifier = specifierOf(node);
    if (specifier === undefined || !specifier.startsWith(".")) return [];
    return [path.posix.join(path.posix.dirname(name), specifier).replace(/\.js$/, ".ts")];
  });
}

function specifierOf(node: ts.Node): string | undefined {
  if (ts.isImportDeclaration(node)) {
    const { importClause: clause, moduleSpecifier } = node;
    const named = clause?.namedBindings;
    const isTypes =
      clause?.isTypeOnly ||
      (named !== undefined &&
        ts.isNamedImports(named) &&
        named.elements.every(({ isTypeOnly }) => isTypeOnly));
    return isTypes || !ts.isStringLiteral(moduleSpecifier) ? undefined : moduleSpecifier.text;
  }
  if (!ts.isCallExpression(node) || node.expression.kind !== ts.SyntaxKind.ImportKeyword) return undefined;
  const [first] = node.arguments;
  return first !== undefined && ts.isStringLiteral(first) ? first.text : undefined;
}

/** What runs the program in tests (test/cli/blockmill.ts): the first of its arguments is the command. */
const runners = new Set(["blockmill", "startBlockmill"]);

/** The commands that a test runs the program with. */
export function commandsRunBy(tree: ts.SourceFile): string[] {
  return nodesOf(tree).flatMap((node) => {
    if (!ts.isCallExpression(node) || !ts.isIdentifier(node.expression)) return [];
    const [args] = node.arguments;
    if (!runners.has(node.expression.text) || args === undefined || !ts.isArrayLiteralExpression(args))
      return [];
    const [command] = args.elements;
    return command !== undefined && ts.isStringLiteral(command) ? [command.text] : [];
  });
}

function nodesOf(root: ts.Node): ts.Node[] {
  const nodes: ts.Node[] = [];
  const visit = (node: ts.Node): void => {
    nodes.push(node);
    ts.forEachChild(node, visit);
  };
  visit(root);
  return nodes;
}
