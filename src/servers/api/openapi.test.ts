import assert from "node:assert/strict";
import { test } from "node:test";
import { createHandlers } from "./handlers.ts";
import { openApi } from "./openapi.ts";
import { routes } from "./routes.ts";
import { startKit } from "./test-kit.ts";

type Operation = Readonly<{
  operationId: string;
  summary: string;
  security: readonly object[];
  parameters?: readonly Readonly<{ name: string; in: string; required: boolean }>[];
  requestBody?: object;
}>;
type Document = Readonly<{ openapi: string; paths: Readonly<Record<string, Readonly<Record<string, Operation>>>> }>;

test("the description tells every route of the table, and who may call it", async (t) => {
  const table = routes(createHandlers((await startKit(t)).parts));
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what follows fails if it is otherwise
  const document = JSON.parse(JSON.stringify(openApi(table, "1.2.3"))) as Document;
  assert.match(document.openapi, /^3\.1\./);
  const told = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  assert.deepEqual(told.toSorted(), table.map(({ method, path }) => `${method} ${path}`).toSorted());

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
