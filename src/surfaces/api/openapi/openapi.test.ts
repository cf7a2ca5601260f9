import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { startKit } from "../../../../test/kit/api-kit.ts";
import { NOTICE_CODES } from "../../../core/alerts/notices.ts";
import { createHandlers } from "../handlers.ts";
import { PROBLEM_CODES } from "../problem.ts";
import type { Route } from "../route.ts";
import { routes } from "../routes.ts";
import { openApi } from "./openapi.ts";

type Operation = Readonly<{
  operationId: string;
  summary: string;
  security: readonly object[];
  parameters?: readonly Readonly<{ name: string; in: string; required: boolean }>[];
  requestBody?: object;
  responses: Readonly<Record<string, Readonly<{ content?: object }>>>;
}>;
type Document = Readonly<{ openapi: string; paths: Readonly<Record<string, Readonly<Record<string, Operation>>>> }>;

test("the description tells every route of the table, and who may call it", async (t) => {
  const { table, document } = await description(t);
  assert.match(document.openapi, /^3\.1\./);
  const reported = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  assert.deepEqual(reported.toSorted(), table.map(({ method, path }) => `${method} ${path}`).toSorted());

  const ids = new Set<string>();
  for (const row of table) {
    const operation = document.paths[row.path]?.[row.method.toLowerCase()] ?? assert.fail(row.path);
    ids.add(operation.operationId);
    assert.equal(operation.summary, row.says);
    assert.equal(operation.security.length, { anyone: 0, session: 1, session_or_token: 2 }[row.who], row.path);
    assert.equal(operation.requestBody !== undefined, row.schemas.body !== undefined, row.path);
    const inPath = [...row.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    const parameters = (operation.parameters ?? []).filter((parameter) => parameter.in === "path");
    assert.deepEqual(
      parameters.map(({ name }) => name),
      inPath,
      row.path,
    );
  }
  assert.equal(ids.size, table.length);
});

test("the description names every code of a notice and of a problem", async (t) => {
  const text = JSON.stringify((await description(t)).document);
  for (const codes of [NOTICE_CODES, PROBLEM_CODES])
    assert.ok(text.includes(`"enum":${JSON.stringify(codes)}`), codes[0]);
});

test("an answer without a body promises none, and successful answers are described by their status", async (t) => {
  const { paths } = (await description(t)).document;
  assert.equal(paths["/api/v1/logout"]?.["post"]?.responses["204"]?.content, undefined);
  assert.deepEqual(Object.keys(paths["/api/v1/login"]?.["post"]?.responses ?? {}), [
    "200",
    "303",
    "400",
    "401",
    "403",
    "413",
    "429",
    "503",
    "default",
  ]);
  assert.deepEqual(Object.keys(paths["/healthz"]?.["get"]?.responses["503"]?.content ?? {}), ["application/json"]);
});

async function description(t: TestContext): Promise<Readonly<{ table: readonly Route[]; document: Document }>> {
  const table = routes(createHandlers((await startKit(t)).parts));
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the tests fail if it is otherwise
  return { table, document: JSON.parse(JSON.stringify(openApi(table, "1.2.3"))) as Document };
}
