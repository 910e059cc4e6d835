/**
 * Lint rules of the house: imports follow the room table, pure rooms stay pure, and only `ffi/` opens libraries.
 *
 * @module
 */

import { refusalOf, type Room, roomOf, ROOMS } from "./room_table.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

/** What a pure room must not name: clocks, timers, chance, the environment, the console, promises. */
const IMPURE_GLOBALS = new Set([
  "Deno",
  "Date",
  "performance",
  "setTimeout",
  "setInterval",
  "queueMicrotask",
  "crypto",
  "console",
  "process",
  "fetch",
  "Promise",
  "Worker",
]);

function pathInProject(filename: string): string {
  return filename.startsWith(ROOT) ? filename.slice(ROOT.length) : filename;
}

/** Path from the project's root that an import in `path` leads to; `undefined` if it leads out of the project. */
function target(path: string, specifier: string): string | undefined {
  if (!specifier.startsWith(".")) return undefined;
  return new URL(specifier, `file:///${path}`).pathname.slice(1);
}

function importRule(context: Deno.lint.RuleContext): Deno.lint.LintVisitor {
  const path = pathInProject(context.filename);
  const room = roomOf(path);
  if (room === undefined) return {};

  function judge(room: Room, node: Deno.lint.Node, specifier: unknown): void {
    if (typeof specifier !== "string") return;
    const to = target(path, specifier);
    if (to === undefined) {
      if (room.pure === true) {
        context.report({
          node,
          message: `Pure room ${room.path} imports "${specifier}" from outside the project`,
        });
      }
      return;
    }
    const refusal = refusalOf(room, to);
    if (refusal !== undefined) {
      context.report({ node, message: `Room ${room.path} imports ${to}; ${refusal}` });
    }
  }

  return {
    ImportDeclaration: (node) => judge(room, node, node.source.value),
    ExportNamedDeclaration: (node) => judge(room, node, node.source?.value),
    ExportAllDeclaration: (node) => judge(room, node, node.source.value),
    ImportExpression: (node) =>
      judge(room, node, node.source.type === "Literal" ? node.source.value : undefined),
  };
}

function purityRule(context: Deno.lint.RuleContext): Deno.lint.LintVisitor {
  const room = roomOf(pathInProject(context.filename));
  if (room?.pure !== true) return {};
  const impure = (node: Deno.lint.Node, what: string): void => {
    context.report({ node, message: `Pure room ${room.path} uses ${what}` });
  };
  return {
    Identifier(node): void {
      const parent = node.parent as { type: string; property?: unknown; key?: unknown; computed?: boolean };
      const isName =
        (parent.type === "MemberExpression" && parent.property === node && parent.computed !== true) ||
        ((parent.type === "Property" || parent.type === "TSPropertySignature") && parent.key === node);
      if (IMPURE_GLOBALS.has(node.name) && !isName) impure(node, node.name);
    },
    "MemberExpression[object.name='Math'][property.name='random']": (node: Deno.lint.Node) =>
      impure(node, "Math.random"),
    AwaitExpression: (node) => impure(node, "await"),
    "FunctionDeclaration[async=true]": (node: Deno.lint.Node) => impure(node, "an async function"),
    "FunctionExpression[async=true]": (node: Deno.lint.Node) => impure(node, "an async function"),
    "ArrowFunctionExpression[async=true]": (node: Deno.lint.Node) => impure(node, "an async function"),
  };
}

function nativeRule(context: Deno.lint.RuleContext): Deno.lint.LintVisitor {
  const path = pathInProject(context.filename);
  if (roomOf(path)?.native === true || path.startsWith("tests/")) return {};
  return {
    "MemberExpression[object.name='Deno'][property.name='dlopen']": (node: Deno.lint.Node) =>
      context.report({ node, message: `Deno.dlopen outside ${ROOMS.find((room) => room.native)?.path}` }),
  };
}

/** Exported functions and classes say what they promise. Fields and types do where their names leave a question. */
function documentationRule(context: Deno.lint.RuleContext): Deno.lint.LintVisitor {
  if (roomOf(pathInProject(context.filename)) === undefined) return {};
  return {
    ExportNamedDeclaration(node): void {
      const { declaration } = node;
      if (declaration?.type !== "FunctionDeclaration" && declaration?.type !== "ClassDeclaration") return;
      const comments = context.sourceCode.getCommentsBefore(node);
      if (comments.some(({ type, value }) => type === "Block" && value.startsWith("*"))) return;
      context.report({ node, message: `Exported ${declaration.id?.name} has no documentation comment` });
    },
  };
}

const plugin: Deno.lint.Plugin = {
  name: "rooms",
  rules: {
    imports: { create: importRule },
    purity: { create: purityRule },
    native: { create: nativeRule },
    documentation: { create: documentationRule },
  },
};
export default plugin;
