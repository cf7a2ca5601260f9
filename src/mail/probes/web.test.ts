import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test } from "node:test";
import { listenOnPort } from "../../../test/kit/local-server.ts";
import { servedPort, silent } from "../../../test/kit/served.ts";
import { probeWeb } from "./exchange.ts";

test("the page works if it is there under its name, and only the head of it is asked for", async () => {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers.host}`);
    response.statusCode = request.headers.host === "mail.example.org" ? 200 : 421;
    response.end("page");
  });
  const page = { host: "127.0.0.1", port: await listenOnPort(server), name: "mail.example.org" };
  assert.deepEqual(await probeWeb(page, 5_000), { ok: true });
  assert.deepEqual(asked, ["HEAD / mail.example.org"]);
  assert.ok(!(await probeWeb({ ...page, name: "other" }, 5_000)).ok);
  assert.ok(!(await probeWeb({ ...page, port: await servedPort(silent) }, 100)).ok);
});
